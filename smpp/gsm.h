// The default alphabet of GSM and its extension table (3GPP TS 23.038, §6.2.1), unpacked as SMPP carries it: one septet
// an octet, an extended character as ESC and a second septet.
//
// Pure; safe from any thread. Nothing here repeats any of a text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace smsflow::smpp {

inline constexpr char kGsmEscape = 0x1b;

// What of a text this alphabet cannot say.
struct Unsayable {
  std::size_t characters = 0;  // how many of them; 0 when the text is not well-formed UTF-8
  std::size_t first = 0;       // where the first stands, counted in characters from 0
};

// nullopt when something cannot be said; `why` then tells how much.
std::optional<std::string> Utf8ToGsm(std::string_view utf8, Unsayable& why);

// As a handset shows it: an escape that leads nowhere shows the character of the default alphabet, one at the end or
// before another escape a blank. An octet above 0x7f is none of the alphabet and becomes U+FFFD.
std::string GsmToUtf8(std::string_view septets);

}  // namespace smsflow::smpp
