// What a configuration file's errors must be.
#pragma once

#include <algorithm>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/fuzz/fuzz.h"

namespace smsflow::fuzz {

// Each line begins with the file's name, and has nothing in it that cannot be shown.
inline void RequireLines(absl::string_view all, const char* name) {
  const std::string message(all);
  for (std::size_t at = 0; at <= message.size();) {
    const std::size_t end = std::min(message.find('\n', at), message.size());
    const std::string line = message.substr(at, end - at);
    Require(line.starts_with(name), "a line names the file");
    Require(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; }), "and can be shown");
    at = end + 1;
  }
}

}  // namespace smsflow::fuzz
