#include "kafka/payload_text.h"

#include <cstdint>

namespace smsflow::kafka {
namespace {

// How many bytes a character takes that begins with this one; 0: none does.
std::size_t LengthOf(std::uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

// Overlong forms, surrogates and what lies beyond U+10FFFF are seen at the second byte.
bool SecondFits(std::uint8_t first, std::uint8_t second) {
  if (first == 0xE0) return second >= 0xA0;
  if (first == 0xED) return second <= 0x9F;
  if (first == 0xF0) return second >= 0x90;
  if (first == 0xF4) return second <= 0x8F;
  return true;
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const auto first = static_cast<std::uint8_t>(bytes[at]);
    const std::size_t length = LengthOf(first);
    if (length == 0 || bytes.size() - at < length) return false;
    for (std::size_t next = 1; next < length; ++next) {
      const auto byte = static_cast<std::uint8_t>(bytes[at + next]);
      if (byte < 0x80 || byte > 0xBF || (next == 1 && !SecondFits(first, byte))) return false;
    }
    at += length;
  }
  return true;
}

}  // namespace smsflow::kafka
