// Gated timers of one shard that are due and wait for credit, a pause to end, or their share of the budget: one queue per
// lane (or per pause that holds them), oldest first.
// Not thread-safe: belongs to its shard's partition.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "absl/status/status.h"
#include "engine/index_head.h"
#include "storage/keys.h"
#include "storage/records.h"
#include "storage/store.h"

namespace smsflow::engine {

struct ReadyIndex {
  using Key = storage::ReadyKey;
  using Value = storage::ReadyValue;
  static constexpr storage::Family kFamily = storage::Family::kQueues;
  static constexpr const char* kName = "the ready rows";
  static absl::StatusOr<Value> DecodeValue(std::string_view value) { return storage::DecodeReady(value); }
};

class ReadyQueue : public IndexHead<ReadyIndex> {
 public:
  ReadyQueue(ShardId shard, storage::Lane8 lane, bool has_stored);
};

// All lanes of a shard that have rows.
class ReadyQueues {
 public:
  // Finds the lanes by seeking from one to the next.
  absl::Status Recover(const storage::Store& store, ShardId shard);
  void Add(const storage::ReadyKey& key, const storage::ReadyValue& value);
  void Remove(const storage::ReadyKey& key);

  bool empty() const { return queues_.empty(); }
  bool Has(const storage::Lane8& lane) const { return queues_.count(lane) != 0; }
  std::map<storage::Lane8, ReadyQueue>& queues() { return queues_; }

 private:
  std::map<storage::Lane8, ReadyQueue> queues_;
};

}  // namespace smsflow::engine
