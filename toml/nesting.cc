#include "toml/nesting.h"

namespace smsflow {

std::optional<std::uint32_t> LineWithTooManyDots(std::string_view toml) {
  std::uint32_t line = 1, dots = 0;
  for (const char c : toml) {
    if (c == '\n') {
      ++line;
      dots = 0;
    } else if (c == '.' && ++dots > kTomlDotsMax) {
      return line;
    }
  }
  return std::nullopt;
}

}  // namespace smsflow
