#include "ids/ids.h"

#include <algorithm>
#include <charconv>

namespace smsflow {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::size_t kTextLength = 36;

bool IsDashAt(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsVersion7(const std::array<std::uint8_t, 16>& b) { return (b[6] & 0xf0) == 0x70 && (b[8] & 0xc0) == 0x80; }

}  // namespace

InstanceId InstanceId::Make(std::int64_t unix_ms, ShardId shard, std::uint64_t random) {
  InstanceId id;
  const auto ms = static_cast<std::uint64_t>(unix_ms);
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | ((shard.value >> 8) & 0x0f));
  id.bytes[7] = static_cast<std::uint8_t>(shard.value);
  for (std::size_t i = 0; i < 8; ++i) id.bytes[8 + i] = static_cast<std::uint8_t>(random >> (56 - 8 * i));
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

std::optional<InstanceId> InstanceId::Parse(std::string_view text) {
  if (text.size() != kTextLength) return std::nullopt;
  InstanceId id;
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < kTextLength; ++i) {
    if (IsDashAt(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = HexValue(text[i]);
    if (value < 0) return std::nullopt;
    auto& byte = id.bytes[nibble / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | value);
    ++nibble;
  }
  if (!IsVersion7(id.bytes)) return std::nullopt;
  return id;
}

std::optional<InstanceId> InstanceId::FromBytes(std::string_view raw) {
  InstanceId id;
  if (raw.size() != id.bytes.size()) return std::nullopt;
  std::copy(raw.begin(), raw.end(), id.bytes.begin());
  if (!IsVersion7(id.bytes)) return std::nullopt;
  return id;
}

ShardId InstanceId::shard() const { return {static_cast<std::uint16_t>((bytes[6] & 0x0f) << 8 | bytes[7])}; }

std::int64_t InstanceId::created_ms() const {
  std::uint64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | bytes[i];
  return static_cast<std::int64_t>(ms);
}

std::string InstanceId::ToString() const {
  std::string text;
  text.reserve(kTextLength);
  for (const std::uint8_t byte : bytes) {
    if (IsDashAt(text.size())) text += '-';
    text += kHexDigits[byte >> 4];
    text += kHexDigits[byte & 0x0f];
  }
  return text;
}

std::optional<AttemptId> AttemptId::Parse(std::string_view text) {
  if (text.size() < kTextLength + 2 || text[kTextLength] != '.') return std::nullopt;
  const auto instance = InstanceId::Parse(text.substr(0, kTextLength));
  if (!instance) return std::nullopt;
  const std::string_view digits = text.substr(kTextLength + 1);
  if (digits.front() < '1' || digits.front() > '9') return std::nullopt;
  AttemptId id{*instance, 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id.number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return id;
}

std::string AttemptId::ToString() const { return instance.ToString() + '.' + std::to_string(number); }

}  // namespace smsflow
