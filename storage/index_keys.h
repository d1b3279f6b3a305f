// Names that must not be readable from a disk (tenants' targets, keys, batches) as 16-byte HMACs under the index key,
// and the shard that a name belongs to. The index key lies outside the data folder.
//
// Immutable; safe from any thread; nothing blocks. The inputs are length-prefixed, so that no two names collide by
// being put together differently.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "ids/ids.h"
#include "storage/keys.h"

namespace smsflow::crypto {
class HmacKey;
}

namespace smsflow::storage {

class IndexKeys {
 public:
  // `secret` is 32 bytes.
  explicit IndexKeys(std::string_view secret);
  ~IndexKeys();
  IndexKeys(const IndexKeys&) = delete;
  IndexKeys& operator=(const IndexKeys&) = delete;

  Lane8 Tenant(std::string_view tenant) const;
  Hash16 Target(std::string_view tenant, std::string_view target) const;
  Hash16 IndexValue(std::string_view tenant, std::uint16_t index, std::string_view value) const;
  Hash16 DedupeScope(std::string_view tenant, std::string_view target, std::string_view key) const;
  Lane8 Lane(std::string_view tenant, std::string_view lane) const;
  Hash16 Pause(std::string_view tenant, std::string_view value) const;

  // With a target: hash(tenant, target); else with a dedupe key: hash(tenant, key); else `random` decides.
  ShardId Shard(std::uint16_t shards, std::string_view tenant, std::string_view target, std::string_view dedupe_key,
                std::uint64_t random) const;

  // What the engine put its name to: a mark that comes back with it was given out by this folder's engine.
  Hash16 MarkSeal(ShardId shard, std::uint64_t epoch, std::uint64_t sequence) const;

  // Stored in meta, to know a wrong key at once.
  Hash16 CheckValue() const;

 private:
  std::unique_ptr<crypto::HmacKey> key_;
};

}  // namespace smsflow::storage
