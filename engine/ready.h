// Gated timers of one shard that are due and wait for credit, a pause to end, or their share of the budget: one queue
// per lane (or per pause that holds them), oldest first. Not thread-safe: belongs to its shard's partition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
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
  ReadyQueue(ShardId shard, storage::Lane8 lane, std::string tenant, bool has_stored);
  const std::string& tenant() const { return tenant_; }
  // None of its rows was due before. Does not read.
  std::int64_t FirstAtOrAfter() const;

 private:
  std::string tenant_;  // of its first row
};

// All lanes of a shard that have rows.
class ReadyQueues {
 public:
  // Lanes are the clients' to name, and each costs memory and a look: a tenant that has so many gets no further one.
  static constexpr std::size_t kLanesOfTenantMax = 256;

  // Finds the lanes by seeking from one to the next.
  absl::Status Recover(const storage::Store& store, ShardId shard);
  void Add(const storage::ReadyKey& key, const storage::ReadyValue& value);
  void Remove(const storage::ReadyKey& key);

  bool empty() const { return queues_.empty(); }
  bool Has(const storage::Lane8& lane) const { return queues_.count(lane) != 0; }
  // Whether rows of the tenant may stand in this lane: it is there, or may be made.
  bool HasRoomFor(const std::string& tenant, const storage::Lane8& lane) const;
  using Queues = std::map<storage::Lane8, ReadyQueue>;
  Queues& queues() { return queues_; }
  void Erase(Queues::iterator queue);

 private:
  ReadyQueue& Make(ShardId shard, const storage::Lane8& lane, const std::string& tenant, bool has_stored);

  Queues queues_;
  std::map<std::string, std::size_t, std::less<>> lanes_of_;  // by tenant
};

}  // namespace smsflow::engine
