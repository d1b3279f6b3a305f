// UTF-8, UTF-16 and Latin-1, as SMS needs them. UCS-2 on the wire is UTF-16 with the high octet first: a character
// beyond U+FFFF is a surrogate pair, two units of 16 bits.
//
// Pure; safe from any thread. No error repeats any of the text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace smsflow::smpp {

inline constexpr char32_t kReplacement = 0xfffd;

// Takes one code point off the front of `utf8`, which must not be empty. nullopt, and nothing is taken, where it is not
// well-formed UTF-8 (overlong, a surrogate, above U+10FFFF, cut).
std::optional<char32_t> TakeCodePoint(std::string_view& utf8);
bool IsUtf8(std::string_view text);
void AppendUtf8(std::string& out, char32_t code_point);

// nullopt when `utf8` is not well-formed.
std::optional<std::string> Utf8ToUtf16(std::string_view utf8);
// A surrogate without its other half, and an octet that is left over, become U+FFFD.
std::string Utf16ToUtf8(std::string_view octets);

// nullopt when it is not well-formed, or has a character that Latin-1 lacks.
std::optional<std::string> Utf8ToLatin1(std::string_view utf8);
std::string Latin1ToUtf8(std::string_view octets);

}  // namespace smsflow::smpp
