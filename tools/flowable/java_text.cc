#include "tools/flowable/java_text.h"

#include <cstdint>

#include "smpp/unicode.h"

namespace smsflow::flowable {
namespace {

constexpr std::string_view kHead("\xAC\xED\x00\x05", 4);
constexpr char kShort = 0x74, kLong = 0x7C;

// The big-endian number of `size` bytes; takes them off.
std::uint64_t TakeNumber(std::string_view& bytes, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes[i]);
  bytes.remove_prefix(size);
  return number;
}

// The surrogate of three bytes at `at`, or 0.
std::uint32_t SurrogateAt(std::string_view bytes, std::size_t at) {
  if (at + 3 > bytes.size() || static_cast<std::uint8_t>(bytes[at]) != 0xED) return 0;
  const auto second = static_cast<std::uint8_t>(bytes[at + 1]), third = static_cast<std::uint8_t>(bytes[at + 2]);
  if (second < 0xA0 || second > 0xBF || (third & 0xC0) != 0x80) return 0;
  return 0xD000U | (second & 0x3FU) << 6 | (third & 0x3FU);
}

// Java's bytes as UTF-8 has them; what is broken stays so.
std::string Mended(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::uint32_t high = SurrogateAt(bytes, at), low = high == 0 ? 0 : SurrogateAt(bytes, at + 3);
    if (bytes.substr(at).starts_with("\xC0\x80")) {
      text += '\0';
      at += 2;
    } else if (high >= 0xD800 && high < 0xDC00 && low >= 0xDC00) {
      const std::uint32_t code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
      text += static_cast<char>(0xF0 | code >> 18);
      text += static_cast<char>(0x80 | (code >> 12 & 0x3F));
      text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      text += static_cast<char>(0x80 | (code & 0x3F));
      at += 6;
    } else {
      text += bytes[at++];
    }
  }
  return text;
}

}  // namespace

std::optional<std::string> DecodeJavaText(std::string_view bytes) {
  if (!bytes.starts_with(kHead)) return smpp::IsUtf8(bytes) ? std::optional<std::string>(bytes) : std::nullopt;
  bytes.remove_prefix(kHead.size());
  const std::size_t size_bytes = bytes.starts_with(kShort) ? 2 : bytes.starts_with(kLong) ? 8 : 0;
  if (size_bytes == 0 || bytes.size() < 1 + size_bytes) return std::nullopt;
  bytes.remove_prefix(1);
  if (TakeNumber(bytes, size_bytes) != bytes.size()) return std::nullopt;
  std::string text = Mended(bytes);
  if (!smpp::IsUtf8(text)) return std::nullopt;
  return text;
}

}  // namespace smsflow::flowable
