// How deep a file of TOML may nest, looked at before it is parsed. toml++ bounds arrays and inline tables to 256, but
// not dotted keys, each part of which is a table in the one before it; it walks and frees them by recursion, and some
// hundred thousand parts are the end of the stack. A key stands in one line (TOML 1.0, "Keys"), so a bound on a line's
// dots bounds the depth: 256 values in each other, a line with a key of its own for each.
//
// A pure function; any thread, blocks for nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace smsflow {

inline constexpr std::uint32_t kTomlDotsMax = 128;
inline constexpr std::string_view kTomlTooManyDots = "more than 128 dots in one line, outside of texts";

// The first line, counted from 1, that must not be parsed for its dots; nullopt when none. Those in texts and comments
// do not count, but in a line where a text of several lines may begin or end.
std::optional<std::uint32_t> LineWithTooManyDots(std::string_view toml);

}  // namespace smsflow
