// The identifiers that every layer speaks of. Ids are types, so that none can be taken for another.
//
// Instance ids are UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, version 7, then 12 bits that
// RFC 9562 leaves to the implementation and that carry the shard here, then the variant and 62 random bits.
// So ids sort by creation time, route themselves to their shard, and look like the ids that old clients know.
//
// Values only; safe to use from any thread; nothing here blocks or allocates, but for the text forms.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace smsflow {

// A shard of the data, 0 to 4095. The count is fixed when a data folder is made.
struct ShardId {
  std::uint16_t value = 0;
  auto operator<=>(const ShardId&) const = default;
};
inline constexpr std::uint16_t kShardsMax = 4096;

struct InstanceId {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const InstanceId&) const = default;

  // `unix_ms` is cut to 48 bits, `shard` must be below kShardsMax, of `random` the low 62 bits are used.
  static InstanceId Make(std::int64_t unix_ms, ShardId shard, std::uint64_t random);
  // Accepts exactly the 36 characters of the canonical text, any case; nullopt for all else, also for a UUID
  // that is not version 7 with the RFC's variant.
  static std::optional<InstanceId> Parse(std::string_view text);
  // From 16 raw bytes as they stand in keys and in protobuf `bytes` fields; the same conditions.
  static std::optional<InstanceId> FromBytes(std::string_view raw);

  ShardId shard() const;
  std::int64_t created_ms() const;
  std::string ToString() const;  // lower case, 8-4-4-4-12
  std::string_view AsBytes() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

// One try to hand an SMS (or another effect) over: `<instance id>.<number>`, numbers from 1 without a gap.
// This text is the `correl-id` on the wire; it never repeats.
struct AttemptId {
  InstanceId instance;
  std::uint32_t number = 0;
  auto operator<=>(const AttemptId&) const = default;

  // nullopt unless the text is an instance id, a dot, and a decimal number from 1 without leading zeros.
  static std::optional<AttemptId> Parse(std::string_view text);
  std::string ToString() const;
};

// Names one store of one gateway: the gateway's configured id, and the uuid made with its store. A gateway that
// lost its store comes back with another uuid, and is then another peer.
struct PeerId {
  std::string gateway;
  std::string store_uuid;  // canonical UUID text
  auto operator<=>(const PeerId&) const = default;
};

}  // namespace smsflow

template <>
struct std::hash<smsflow::InstanceId> {
  std::size_t operator()(const smsflow::InstanceId& id) const noexcept {
    std::uint64_t tail = 0;
    for (int i = 8; i < 16; ++i) tail = tail << 8 | id.bytes[static_cast<std::size_t>(i)];
    return static_cast<std::size_t>(tail);  // 62 random bits: already spread
  }
};
template <>
struct std::hash<smsflow::AttemptId> {
  std::size_t operator()(const smsflow::AttemptId& id) const noexcept {
    return std::hash<smsflow::InstanceId>{}(id.instance) * 31 + id.number;
  }
};
