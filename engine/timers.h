// Where a timer fires from: the earliest rows of one shard's timer index, in memory, refilled by bounded scans.
//
// The index is ordered by due time. Rows are never deleted one by one when they fire; the cursor passes them, a durable
// mark says how far, and whole ranges below it go at once. So a row that no instance claims any more is garbage, and
// whoever takes a timer must ask the instance. Memory does not grow with what is pending.
//
// Not thread-safe: a cursor belongs to its shard's partition.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/keys.h"
#include "storage/records.h"
#include "storage/store.h"

namespace smsflow::engine {

struct Timer {
  storage::TimerKey key;
  storage::TimerValue value;
};

// Where the row of an instance's timer stands in the index.
inline std::int64_t IndexMs(const ::smsflow::stored::v1::LiveTimer& timer) {
  return timer.index_ms() != 0 ? timer.index_ms() : timer.due_ms();
}

class TimerCursor {
 public:
  static constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

  // Rows with due time in [from_ms, till_ms).
  TimerCursor(ShardId shard, std::int64_t from_ms, std::int64_t till_ms);

  // A row within bounds that has just become durable. Before that it must not be added: a scan could not see it.
  void Add(const Timer& timer);

  // The earliest row not taken, or null. May read from the store.
  absl::StatusOr<const Timer*> Peek(const storage::Store& store);
  void Pop();  // REQUIRES a Peek() that was not null

  std::int64_t till_ms() const { return till_ms_; }

 private:
  absl::Status Refill(const storage::Store& store);

  ShardId shard_;
  std::int64_t till_ms_;
  std::map<storage::TimerKey, Timer> head_;
  // Rows from here on may stand in the store without being in head_; nullopt: head_ has all.
  std::optional<storage::TimerKey> unread_from_;
};

}  // namespace smsflow::engine
