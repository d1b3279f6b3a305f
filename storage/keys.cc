#include "storage/keys.h"

#include <algorithm>

namespace smsflow::storage {
namespace {

constexpr std::size_t kPrefix = 3;         // kind and shard
constexpr std::size_t kTail = 8 + 16 + 2;  // due, instance, name

// Reads the due time, instance and name that end a timer's and a ready row's key.
template <class KeyType>
bool DecodeTail(std::string_view tail, KeyType& key) {
  const std::uint64_t due = ReadBigEndian(tail.substr(0, 8));
  const auto instance = InstanceId::FromBytes(tail.substr(8, 16));
  if (due > static_cast<std::uint64_t>(INT64_MAX) || !instance) return false;
  key.due_ms = static_cast<std::int64_t>(due);
  key.instance = *instance;
  key.name = static_cast<std::uint16_t>(ReadBigEndian(tail.substr(24, 2)));
  return true;
}

ShardId ShardOf(std::string_view key) { return ShardId{static_cast<std::uint16_t>(ReadBigEndian(key.substr(1, 2)))}; }

}  // namespace

std::optional<TimerKey> TimerKey::Decode(std::string_view key) {
  if (key.size() != kPrefix + kTail || key[0] != 't') return std::nullopt;
  TimerKey result;
  result.shard = ShardOf(key);
  if (!DecodeTail(key.substr(kPrefix), result)) return std::nullopt;
  return result;
}

std::optional<ReadyKey> ReadyKey::Decode(std::string_view key) {
  ReadyKey result;
  if (key.size() != kPrefix + result.lane.size() + kTail || key[0] != 'r') return std::nullopt;
  result.shard = ShardOf(key);
  std::copy_n(key.begin() + kPrefix, result.lane.size(), result.lane.begin());
  if (!DecodeTail(key.substr(kPrefix + result.lane.size()), result)) return std::nullopt;
  return result;
}

std::optional<InstanceId> InstanceOfKey(std::string_view key) {
  if (key.size() < kPrefix + 16 || (key[0] != 'i' && key[0] != 'h' && key[0] != 's')) return std::nullopt;
  return InstanceId::FromBytes(key.substr(key.size() - 16));
}

}  // namespace smsflow::storage
