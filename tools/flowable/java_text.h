// A text as Java's object serialisation stores one: how the old database keeps texts of 4,000 characters and more.
//
//   AC ED 00 05  74  LENGTH[2]  BYTES        or with 7C and LENGTH[8]
//
// BYTES are UTF-8 but for two habits of Java: NUL is C0 80, and what lies beyond U+FFFF is two surrogates of three
// bytes each. A pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace smsflow::flowable {

// The text as UTF-8. Bytes without that head are the text itself, if they are UTF-8. nullopt: neither, or something
// else stands behind it.
std::optional<std::string> DecodeJavaText(std::string_view bytes);

}  // namespace smsflow::flowable
