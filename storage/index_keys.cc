#include "storage/index_keys.h"

#include <algorithm>
#include <array>

#include "crypto/hash.h"
#include "crypto/hmac.h"

namespace smsflow::storage {
namespace {

// What a name is for goes in first, so that equal names of different uses do not look equal on disk. Persisted.
enum class Use : std::uint8_t {
  kTenant = 1,
  kTarget = 2,
  kIndexValue = 3,
  kDedupeScope = 4,
  kLane = 5,
  kPause = 6,
  kShardByTarget = 7,
  kShardByDedupeKey = 8,
  kCheck = 9,
  kMarkSeal = 10,
};

// A part's length in four bytes, to go before it.
struct Length {
  explicit Length(std::string_view part) {
    for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<char>(part.size() >> (8 * (3 - i)));
  }
  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  std::array<char, 4> bytes{};
};

crypto::Digest Mac(const crypto::HmacKey& key, Use use, std::string_view a = {}, std::string_view b = {},
                   std::string_view c = {}) {
  const char domain = static_cast<char>(use);
  return key.Mac({{&domain, 1}, Length(a).view(), a, Length(b).view(), b, Length(c).view(), c});
}

template <class Array>
Array CutTo(const crypto::Digest& digest) {
  Array result;
  std::copy_n(digest.begin(), result.size(), result.begin());
  return result;
}

}  // namespace

IndexKeys::IndexKeys(std::string_view secret) : key_(std::make_unique<crypto::HmacKey>(secret)) {}
IndexKeys::~IndexKeys() = default;

Lane8 IndexKeys::Tenant(std::string_view tenant) const { return CutTo<Lane8>(Mac(*key_, Use::kTenant, tenant)); }
Hash16 IndexKeys::Target(std::string_view tenant, std::string_view target) const {
  return CutTo<Hash16>(Mac(*key_, Use::kTarget, tenant, target));
}
Hash16 IndexKeys::IndexValue(std::string_view tenant, std::uint16_t index, std::string_view value) const {
  const std::array<char, 2> number{static_cast<char>(index >> 8), static_cast<char>(index)};
  return CutTo<Hash16>(Mac(*key_, Use::kIndexValue, tenant, {number.data(), number.size()}, value));
}
Hash16 IndexKeys::DedupeScope(std::string_view tenant, std::string_view target, std::string_view key) const {
  return CutTo<Hash16>(Mac(*key_, Use::kDedupeScope, tenant, target, key));
}
Lane8 IndexKeys::Lane(std::string_view tenant, std::string_view lane) const {
  return CutTo<Lane8>(Mac(*key_, Use::kLane, tenant, lane));
}
Hash16 IndexKeys::Pause(std::string_view tenant, std::string_view value) const {
  return CutTo<Hash16>(Mac(*key_, Use::kPause, tenant, value));
}

ShardId IndexKeys::Shard(std::uint16_t shards, std::string_view tenant, std::string_view target,
                         std::string_view dedupe_key, std::uint64_t random) const {
  std::uint64_t spread = random;
  if (!target.empty() || !dedupe_key.empty()) {
    const auto digest = target.empty() ? Mac(*key_, Use::kShardByDedupeKey, tenant, dedupe_key)
                                       : Mac(*key_, Use::kShardByTarget, tenant, target);
    spread = ReadBigEndian(crypto::AsView(digest).substr(0, 8));
  }
  return ShardId{static_cast<std::uint16_t>(spread % shards)};
}

Hash16 IndexKeys::MarkSeal(ShardId shard, std::uint64_t epoch, std::uint64_t sequence) const {
  std::string numbers[] = {std::string(2, '\0'), std::string(8, '\0'), std::string(8, '\0')};
  const std::uint64_t values[] = {shard.value, epoch, sequence};
  for (std::size_t i = 0; i < std::size(values); ++i) {
    std::uint64_t rest = values[i];
    for (auto digit = numbers[i].rbegin(); digit != numbers[i].rend(); ++digit, rest >>= 8)
      *digit = static_cast<char>(rest);
  }
  return CutTo<Hash16>(Mac(*key_, Use::kMarkSeal, numbers[0], numbers[1], numbers[2]));
}

Hash16 IndexKeys::CheckValue() const { return CutTo<Hash16>(Mac(*key_, Use::kCheck)); }

}  // namespace smsflow::storage
