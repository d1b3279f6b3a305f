// Gated timers of one shard that are due and wait for credit, a pause to end, or their share of the budget: one queue per
// lane (or per pause that holds them), oldest first, its head in memory. The rows are durable; a row whose instance has moved on is garbage.
// Not thread-safe: belongs to its shard's partition.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/keys.h"
#include "storage/records.h"
#include "storage/store.h"

namespace smsflow::engine {

class ReadyQueue {
 public:
  using Row = std::pair<const storage::ReadyKey, storage::ReadyValue>;

  ReadyQueue(ShardId shard, storage::Lane8 lane, bool has_stored);

  void Add(const storage::ReadyKey& key, const storage::ReadyValue& value);  // a row that has just become durable
  // The oldest, or null. May read from the store.
  absl::StatusOr<const Row*> Peek(const storage::Store& store);
  void Pop();  // REQUIRES a Peek() that was not null

 private:
  absl::Status Refill(const storage::Store& store);

  ShardId shard_;
  storage::Lane8 lane_;
  std::map<storage::ReadyKey, storage::ReadyValue> head_;
  std::optional<storage::ReadyKey> unread_from_;
};

// All lanes of a shard that have rows.
class ReadyQueues {
 public:
  // Finds the lanes by seeking from one to the next.
  absl::Status Recover(const storage::Store& store, ShardId shard);
  void Add(const storage::ReadyKey& key, const storage::ReadyValue& value);

  bool Has(const storage::Lane8& lane) const { return queues_.count(lane) != 0; }
  std::map<storage::Lane8, ReadyQueue>& queues() { return queues_; }

 private:
  std::map<storage::Lane8, ReadyQueue> queues_;
};

}  // namespace smsflow::engine
