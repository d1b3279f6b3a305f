#include "engine/ready.h"

#include <optional>
#include <string>
#include <utility>

namespace smsflow::engine {
ReadyQueue::ReadyQueue(ShardId shard, storage::Lane8 lane, bool has_stored)
    : IndexHead(has_stored ? std::optional(Key{shard, lane, 0, {}, 0}) : std::nullopt,
                storage::PrefixEnd(storage::Key('r', shard).Add(lane).view())) {}

absl::Status ReadyQueues::Recover(const storage::Store& store, ShardId shard) {
  std::string from(storage::Key('r', shard).view());
  const std::string till = storage::PrefixEnd(from);
  while (true) {
    const auto cursor = store.Scan(storage::Family::kQueues, from, till);
    if (!cursor->Valid()) return cursor->status();
    const auto key = storage::ReadyKey::Decode(cursor->key());
    if (!key) return absl::DataLossError("ready rows of shard " + std::to_string(shard.value) + " have a malformed key");
    queues_.try_emplace(key->lane, shard, key->lane, /*has_stored=*/true);
    from = storage::PrefixEnd(storage::Key('r', shard).Add(key->lane).view());
    if (from >= till) return absl::OkStatus();
  }
}

void ReadyQueues::Add(const storage::ReadyKey& key, const storage::ReadyValue& value) {
  const auto [it, fresh] = queues_.try_emplace(key.lane, key.shard, key.lane, /*has_stored=*/false);
  it->second.Add(key, value);
}

void ReadyQueues::Remove(const storage::ReadyKey& key) {
  if (const auto it = queues_.find(key.lane); it != queues_.end()) it->second.Remove(key);
}

}  // namespace smsflow::engine
