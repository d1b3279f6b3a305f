// What one SMS writes, row by row: found by walking one SMS through the engine over a store in memory and looking at
// the batches. The bare loop then writes the same rows, and the write budget is what they add up to. Exact: the same
// program always finds the same shape.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/store.h"
#include "tools/bench/sms_source.h"

namespace smsflow::bench {

struct RowShape {
  storage::Family family = storage::Family::kMeta;
  char kind = 0;  // of storage/keys.h
  bool deleted = false;
  std::size_t key_bytes = 0;
  std::string key;                // as an example
  std::string value;              // as an example
  std::int64_t due_after_ms = 0;  // timers: against the time of the write
  std::uint16_t name = 0;         // timers: theirs; index rows: their index
};
using BatchShape = std::vector<RowShape>;  // what one event, or those decided together, wrote

struct SmsShape {
  BatchShape schedule;  // not due yet
  BatchShape lease;     // due: IN_SLOT
  BatchShape reports;   // SENT and DELIVERED, decided together
  // The same two, decided one after the other: the dearest way.
  BatchShape sent;
  BatchShape delivered;
};

// DATA_LOSS when the SMS did not live as it should.
absl::StatusOr<SmsShape> FindShape(Profile profile);

std::size_t Operations(const BatchShape& batch);
std::size_t Bytes(const BatchShape& batch);  // of keys and values
// The write budget's sums.
std::size_t ScheduleOperations(const SmsShape& shape);
std::size_t ScheduleBytesBesidePayload(const SmsShape& shape);
std::size_t LifeOperations(const SmsShape& shape);  // the dearest way

}  // namespace smsflow::bench
