// Base64url without padding (RFC 4648, section 5), strict: one text for one value, so that no byte of an envelope can
// be changed without being noticed.
//
// Safe to use from any thread; nothing blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace smsflow::crypto {

std::string ToBase64Url(std::string_view bytes);

// nullopt for any character outside the alphabet (also `=` and line breaks), an impossible length, or trailing bits
// that are not zero.
std::optional<std::string> FromBase64Url(std::string_view text);

// The standard alphabet with padding (RFC 4648, section 4), as strict: the padding must be there, line breaks must not.
std::string ToBase64(std::string_view bytes);
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace smsflow::crypto
