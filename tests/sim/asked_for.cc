#include "tests/sim/asked_for.h"

#include <algorithm>

#include "workflows/delivery/events.h"

namespace smsflow::sim {

void AskedFor::Many(const engine::SweepRequest& sweep) {
  many_.emplace(std::pair{sweep.actor, sweep.event.kind}, Sweep{sweep.tenant, sweep.index, sweep.value});
}

bool AskedFor::Covers(const InstanceId& id, const Life& life, const JournalBody& record) const {
  switch (record.event()) {
    case delivery::kCancelEvent:
    case delivery::kBlockEvent:
    case delivery::kRescheduleEvent:
    case delivery::kResolveEvent:
    case delivery::kLookNowEvent:
      break;
    default:
      return true;
  }
  if (ones_.count({id, record.event(), record.actor()}) != 0) return true;
  const auto [from, till] = many_.equal_range({record.actor(), record.event()});
  return std::any_of(from, till, [&](const auto& asked) {
    const Sweep& sweep = asked.second;
    if (sweep.tenant != life.tenant) return false;
    switch (sweep.index) {
      case 0:
        return true;
      case delivery::kBatchIndex:
        return sweep.value == life.fixed.batch;
      case delivery::kKeyIndex:
        return sweep.value == life.fixed.key;
      case delivery::kTargetIndex:
        return sweep.value == life.target;
      default:
        return false;
    }
  });
}

}  // namespace smsflow::sim
