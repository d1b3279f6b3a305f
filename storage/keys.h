// Where every row stands: the one declaration of key bytes. docs/disk-format.md shows them; golden tests pin them.
//
//   key  := kind(1) shard(2, big endian) rest
//
//   kind  family     rest                                          row
//   'h'   instances  id(16)                                        InstanceHead
//   's'   instances  id(16)                                        InstanceState
//   'j'   journal    sequence(8)                                   header + JournalBody, storage/journal.h
//   'a'   journal    sequence(8)                                   ChainAnchor
//   't'   queues     due_ms(8) id(16) name(2)                      lane, or nothing
//   'r'   queues     lane(8) due_ms(8) id(16) name(2)              lane, readable
//   'o'   queues     sequence(8)                                   OutboxRow
//   'l'   queues     destination(2) sequence(8)                    TellRow; the shard is the source
//   'L'   queues     source(2)                                     last applied sequence(8); shard: the destination
//   'w'   queues     command(16)                                   SweepRow
//   'k'   queues     -                                             ShardMarks
//   'f'   queues     log(16) partition(4)                          FeedRow; log: SHA-256 of its name, cut
//   'i'   indexes    index(2) value(16) id(16)                     nothing
//   'm'   indexes    set(1) tenant(8) target(16)                   MembershipRow
//   'd'   indexes    scope(16)                                     DedupeRow
//   'p'   indexes    scope(1) value(16)                            PauseRow
//   'P'   meta       digest(16), shard 0                           a policy's bytes
//   'M'   meta       -, shard 0                                    Meta
//   'u' 'g' 'A'       meta, shard 0: accounts, clients, their changes: storage/accounts.h
//   'c' 'v' 'n' 'x'   kept for correlation, reservation, children, dead letters
// A kind, once used, is never given to another row. Numbers are big endian so that bytes sort as they do; signed times
// are never negative. Hashed parts come from storage/index_keys.h.
// Values only; safe from any thread; nothing blocks.
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "ids/ids.h"

namespace smsflow::storage {

using Hash16 = std::array<std::uint8_t, 16>;
using Lane8 = std::array<std::uint8_t, 8>;

enum class PauseScope : std::uint8_t { kAll = 1, kTenant = 2, kIndexValue = 3, kGateway = 4 };

// A key in a fixed buffer: no allocation on the hot path. The longest one is 43 bytes.
class Key {
 public:
  static constexpr std::size_t kSizeMax = 48;

  Key(char kind, ShardId shard) { Add8(static_cast<std::uint8_t>(kind)).Add16(shard.value); }

  Key& Add8(std::uint8_t value) { return AddBigEndian(value, 1); }
  Key& Add16(std::uint16_t value) { return AddBigEndian(value, 2); }
  Key& Add32(std::uint32_t value) { return AddBigEndian(value, 4); }
  Key& Add64(std::uint64_t value) { return AddBigEndian(value, 8); }
  Key& Add(std::string_view bytes) {
    assert(size_ + bytes.size() <= kSizeMax);
    std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
    size_ = static_cast<std::uint8_t>(size_ + bytes.size());
    return *this;
  }
  template <std::size_t N>
  Key& Add(const std::array<std::uint8_t, N>& bytes) {
    return Add(std::string_view(reinterpret_cast<const char*>(bytes.data()), N));
  }

  std::string_view view() const { return {bytes_.data(), size_}; }
  operator std::string_view() const { return view(); }

 private:
  Key& AddBigEndian(std::uint64_t value, int width) {
    for (int i = width - 1; i >= 0; --i) bytes_[size_++] = static_cast<char>(value >> (8 * i));
    return *this;
  }

  std::array<char, kSizeMax> bytes_;
  std::uint8_t size_ = 0;
};

inline std::uint64_t ReadBigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

inline Key HeadKey(const InstanceId& id) { return Key('h', id.shard()).Add(id.bytes); }
inline Key StateKey(const InstanceId& id) { return Key('s', id.shard()).Add(id.bytes); }
inline Key JournalKey(ShardId shard, std::uint64_t sequence) { return Key('j', shard).Add64(sequence); }
inline Key AnchorKey(ShardId shard, std::uint64_t sequence) { return Key('a', shard).Add64(sequence); }
inline Key OutboxKey(ShardId shard, std::uint64_t sequence) { return Key('o', shard).Add64(sequence); }
inline Key SweepKey(ShardId shard, std::string_view command) { return Key('w', shard).Add(command); }
inline Key MarksKey(ShardId shard) { return Key('k', shard); }
inline Key FeedKey(ShardId shard, const Hash16& log, std::uint32_t partition) {
  return Key('f', shard).Add(log).Add32(partition);
}
inline Key TellKey(ShardId source, ShardId destination, std::uint64_t sequence) {
  return Key('l', source).Add16(destination.value).Add64(sequence);
}
inline Key AppliedTellKey(ShardId destination, ShardId source) { return Key('L', destination).Add16(source.value); }
inline Key DedupeKey(ShardId shard, const Hash16& scope) { return Key('d', shard).Add(scope); }
inline Key PauseKey(ShardId shard, PauseScope scope, const Hash16& value) {
  return Key('p', shard).Add8(static_cast<std::uint8_t>(scope)).Add(value);
}
inline Key MembershipKey(ShardId shard, std::uint8_t set, const Lane8& tenant, const Hash16& target) {
  return Key('m', shard).Add8(set).Add(tenant).Add(target);
}
inline Key IndexKey(ShardId shard, std::uint16_t index, const Hash16& value, const InstanceId& id) {
  return Key('i', shard).Add16(index).Add(value).Add(id.bytes);
}
inline Key PolicyKey(const Hash16& digest) { return Key('P', ShardId{0}).Add(digest); }
inline Key MetaKey() { return Key('M', ShardId{0}); }

struct TimerKey {
  ShardId shard;
  std::int64_t due_ms = 0;  // never negative
  InstanceId instance;
  std::uint16_t name = 0;
  auto operator<=>(const TimerKey&) const = default;

  Key Encode() const {
    return Key('t', shard).Add64(static_cast<std::uint64_t>(due_ms)).Add(instance.bytes).Add16(name);
  }
  // nullopt for anything that is not such a key.
  static std::optional<TimerKey> Decode(std::string_view key);
};

struct ReadyKey {
  ShardId shard;
  Lane8 lane{};
  std::int64_t due_ms = 0;
  InstanceId instance;
  std::uint16_t name = 0;
  auto operator<=>(const ReadyKey&) const = default;

  Key Encode() const {
    return Key('r', shard).Add(lane).Add64(static_cast<std::uint64_t>(due_ms)).Add(instance.bytes).Add16(name);
  }
  static std::optional<ReadyKey> Decode(std::string_view key);
};

// The last 16 bytes of an 'i', 'h' or 's' key.
std::optional<InstanceId> InstanceOfKey(std::string_view key);
// The last 8 bytes of a 'j', 'a', 'o' or 'l' key.
inline std::uint64_t SequenceOfKey(std::string_view key) { return ReadBigEndian(key.substr(key.size() - 8)); }

}  // namespace smsflow::storage
