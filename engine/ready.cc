#include "engine/ready.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace smsflow::engine {
ReadyQueue::ReadyQueue(ShardId shard, storage::Lane8 lane, std::string tenant, bool has_stored)
    : IndexHead(has_stored ? std::optional(Key{shard, lane, 0, {}, 0}) : std::nullopt,
                storage::PrefixEnd(storage::Key('r', shard).Add(lane).view())),
      tenant_(std::move(tenant)) {}

ReadyQueue& ReadyQueues::Make(ShardId shard, const storage::Lane8& lane, const std::string& tenant, bool has_stored) {
  const auto [it, fresh] = queues_.try_emplace(lane, shard, lane, tenant, has_stored);
  if (fresh) ++lanes_of_[tenant];
  return it->second;
}

void ReadyQueues::Erase(Queues::iterator queue) {
  const auto of_tenant = lanes_of_.find(queue->second.tenant());
  if (--of_tenant->second == 0) lanes_of_.erase(of_tenant);
  queues_.erase(queue);
}

bool ReadyQueues::HasRoomFor(const std::string& tenant, const storage::Lane8& lane) const {
  const auto of_tenant = lanes_of_.find(tenant);
  return of_tenant == lanes_of_.end() || of_tenant->second < kLanesOfTenantMax || Has(lane);
}

std::int64_t ReadyQueue::FirstAtOrAfter() const {
  const Key* first = FirstKnown();
  return first == nullptr ? std::numeric_limits<std::int64_t>::max() : first->due_ms;
}

absl::Status ReadyQueues::Recover(const storage::Store& store, ShardId shard) {
  std::string from(storage::Key('r', shard).view());
  const std::string till = storage::PrefixEnd(from);
  while (true) {
    const auto cursor = store.Scan(storage::Family::kQueues, from, till);
    if (!cursor->Valid()) return cursor->status();
    const auto key = storage::ReadyKey::Decode(cursor->key());
    if (!key)
      return absl::DataLossError("ready rows of shard " + std::to_string(shard.value) + " have a malformed key");
    const auto value = storage::DecodeReady(cursor->value());
    if (!value.ok()) return value.status();
    Make(shard, key->lane, value->tenant, /*has_stored=*/true);
    from = storage::PrefixEnd(storage::Key('r', shard).Add(key->lane).view());
    if (from >= till) return absl::OkStatus();
  }
}

void ReadyQueues::Add(const storage::ReadyKey& key, const storage::ReadyValue& value) {
  Make(key.shard, key.lane, value.tenant, /*has_stored=*/false).Add(key, value);
}

void ReadyQueues::Remove(const storage::ReadyKey& key) {
  if (const auto it = queues_.find(key.lane); it != queues_.end()) it->second.Remove(key);
}

}  // namespace smsflow::engine
