#include "server/violations.h"

#include <cstddef>
#include <cstdint>

namespace smsflow::server {

namespace {

// The length of the UTF-8 character at the front, and its code point; 0: it is none, or a longer way to write another.
std::size_t TakeCharacter(std::string_view text, std::uint32_t& point) {
  static constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto first = static_cast<std::uint8_t>(text.front());
  const std::size_t length = first < 0x80            ? 1
                             : first >> 5 == 0b110   ? 2
                             : first >> 4 == 0b1110  ? 3
                             : first >> 3 == 0b11110 ? 4
                                                     : 0;
  if (length == 0 || text.size() < length) return 0;
  point = length == 1 ? first : first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<std::uint8_t>(text[i]);
    if (next >> 6 != 0b10) return 0;
    point = point << 6 | (next & 0x3F);
  }
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  return point < kLeast[length] || point > 0x10FFFF || surrogate ? 0 : length;
}

}  // namespace

bool IsPrintable(std::string_view text) {
  while (!text.empty()) {
    if (text.front() >= 0x20 && text.front() < 0x7F) {  // nearly all that ever comes
      text.remove_prefix(1);
      continue;
    }
    std::uint32_t point = 0;
    const std::size_t length = TakeCharacter(text, point);
    const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029;
    if (length == 0 || control) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string LineOf(const Violations& violations) {
  std::string line;
  for (const auto& violation : violations) {
    if (!line.empty()) line += "; ";
    line += violation.field + ": " + violation.description;
  }
  return line;
}

absl::Status ToStatus(const Violations& violations) { return absl::InvalidArgumentError(LineOf(violations)); }

}  // namespace smsflow::server
