// What is due and waits: lanes in turn, one lease each, the oldest of a lane first. So a tenant without a gateway stops
// nobody else, and costs nothing while nothing changes.
#include <utility>

#include "engine/partition.h"
#include "storage/records.h"

namespace smsflow::engine {

void Partition::ServeReady(Round& round) {
  if (shared_.draining.load(std::memory_order_relaxed) || ready_lanes_.empty()) return;
  const std::uint64_t version = shared_.peers.version();
  if (version == ready_seen_ && !ready_again_ && !budget_waited_) return;
  ready_seen_ = version;
  ready_again_ = false;

  const std::uint32_t limit = round.work + shared_.options.batch_max;
  std::vector<storage::Lane8> lanes;
  for (const auto& [lane, where] : ready_lanes_) lanes.push_back(lane);
  while (!lanes.empty()) {
    std::vector<storage::Lane8> more;
    for (const storage::Lane8& lane : lanes) {
      if (round.work >= limit) {
        ready_again_ = true;
        return;
      }
      if (ServeOldest(round, lane)) more.push_back(lane);
    }
    lanes = std::move(more);
  }
}

// One row of a lane; false when no further one can go now.
bool Partition::ServeOldest(Round& round, const storage::Lane8& lane) {
  const auto where = ready_lanes_.find(lane);
  if (where == ready_lanes_.end()) return false;
  Shard* oldest = nullptr;
  ReadyQueue* queue = nullptr;
  const ReadyQueue::Entry* first = nullptr;
  for (auto it = where->second.begin(); it != where->second.end();) {
    Shard& home = shard(ShardId{*it});
    const auto found = home.ready.queues().find(lane);
    auto row = found->second.Peek(store());
    if (!row.ok()) Fail(row.status());
    if (*row == nullptr) {
      home.ready.queues().erase(found);
      it = where->second.erase(it);
      continue;
    }
    if (first == nullptr || (*row)->key.due_ms < first->key.due_ms) {
      oldest = &home;
      queue = &found->second;
      first = *row;
    }
    ++it;
  }
  if (first == nullptr) {
    ready_lanes_.erase(where);
    return false;
  }

  const ReadyQueue::Entry row = *first;
  // In a lane of their own all wait for the same peers. Of those that a pause held together, each goes to its own.
  const bool own_lane = lane == shared_.parts.index_keys->Lane(row.value.tenant, row.value.lane);
  if (own_lane && shared_.peers.OfLane(row.value.tenant, row.value.lane).credit == 0) return false;
  auto found = instances_.Find(row.key.instance);
  if (!found.ok()) Fail(found.status());
  bool live = false;
  if (*found != nullptr)
    for (const auto& timer : (*found)->state.timers())
      live |= timer.name() == row.key.name && timer.gated() && timer.due_ms() == row.key.due_ms;
  if (!live) {
    ++round.work;
    ++counts_.timers_garbage;
    storage::DeleteReady(round.batch, row.key);
    queue->Pop();
    return true;
  }
  if (FireGated(round, *oldest, **found, row.key.name, row.value, &row.key, /*can_wait=*/false) != Fired::kYes)
    return false;
  ++round.work;
  queue->Pop();
  return true;
}

}  // namespace smsflow::engine
