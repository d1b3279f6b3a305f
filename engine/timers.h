// Where a timer fires from: one shard's timer index, ordered by due time. Rows are never deleted one by one when they
// fire; the cursor passes them, a durable mark says how far, and whole ranges below it go at once.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "engine/index_head.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/keys.h"
#include "storage/records.h"

namespace smsflow::engine {

struct TimerIndex {
  using Key = storage::TimerKey;
  using Value = storage::TimerValue;
  static constexpr storage::Family kFamily = storage::Family::kQueues;
  static constexpr const char* kName = "the timer index";
  static absl::StatusOr<Value> DecodeValue(std::string_view value) { return storage::DecodeTimer(value); }
};
using Timer = IndexHead<TimerIndex>::Entry;

// Where the row of an instance's timer stands in the index.
inline std::int64_t IndexMs(const ::smsflow::stored::v1::LiveTimer& timer) {
  return timer.index_ms() != 0 ? timer.index_ms() : timer.due_ms();
}

class TimerCursor : public IndexHead<TimerIndex> {
 public:
  static constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

  // Rows with due time in [from_ms, till_ms).
  TimerCursor(ShardId shard, std::int64_t from_ms, std::int64_t till_ms)
      : IndexHead(Key{shard, from_ms, {}, 0}, till_ms == kForever ? storage::PrefixEnd(storage::Key('t', shard).view())
                                                                  : std::string(Key{shard, till_ms, {}, 0}.Encode())) {}
};

}  // namespace smsflow::engine
