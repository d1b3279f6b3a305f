// What is due and waits: lanes in turn, one lease each, the oldest of a lane first. So a tenant without a gateway stops
// nobody else, and costs nothing while nothing changes.
#include <algorithm>
#include <utility>

#include "engine/partition.h"
#include "storage/records.h"

namespace smsflow::engine {

void Partition::ServeReady(Round& round) {
  const bool woken = round.now_ms >= ready_wake_ms_;
  if (woken) ready_wake_ms_ = TimerCursor::kForever;
  if (shared_.draining.load(std::memory_order_relaxed) || ready_lanes_.empty()) return;
  const std::uint64_t version = shared_.peers.version();
  if (version == ready_seen_ && !ready_again_ && !budget_waited_ && !woken) return;
  ready_seen_ = version;
  ready_again_ = false;
  ready_wake_ms_ = TimerCursor::kForever;

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

// Where those of a tenant wait together that has more lanes than it may. They may hold each other up, and nobody else.
storage::Lane8 Partition::CrowdLane(const std::string& tenant) const {
  return shared_.parts.index_keys->Lane(tenant, "\n");  // no name of a lane has control characters
}

storage::Lane8 Partition::LaneOf(const Shard& home, const storage::ReadyValue& names) const {
  const storage::Lane8 own = shared_.parts.index_keys->Lane(names.tenant, names.lane);
  return home.ready.HasRoomFor(names.tenant, own) ? own : CrowdLane(names.tenant);
}

// A due timer that is cleared or set anew waits no longer. Its row goes at once: nobody may ever serve its lane, nor a
// pause end. Called before the decision is absorbed, while the instance is still as it was when it came to wait.
void Partition::ForgetReady(Round& round, Shard& home, const Loaded& loaded, const workflows::Decision& decision) {
  if (home.ready.empty() && round.new_ready.empty()) return;
  for (const stored::LiveTimer& timer : loaded.state.timers()) {
    const auto is_it = [&](const workflows::TimerChange& change) { return change.name == timer.name(); };
    if (!timer.gated() || IndexMs(timer) > std::max(round.now_ms, home.live_mark_ms) ||
        std::none_of(decision.timers.begin(), decision.timers.end(), is_it))
      continue;
    const workflows::Workflow& workflow = *shared_.workflow(static_cast<std::uint16_t>(loaded.head.workflow()));
    storage::ReadyKey key{home.id, {}, timer.due_ms(), loaded.id, static_cast<std::uint16_t>(timer.name())};
    const auto forget = [&](const storage::Lane8& lane) {
      key.lane = lane;
      const auto is_new = [&](const auto& row) { return row.first == key; };
      const auto fresh = std::find_if(round.new_ready.begin(), round.new_ready.end(), is_new);
      if (fresh == round.new_ready.end() && !home.ready.Has(lane)) return;
      if (fresh != round.new_ready.end()) round.new_ready.erase(fresh);
      home.ready.Remove(key);
      storage::DeleteReady(round.batch, key);
    };
    const std::string lane = workflow.Lane(loaded.head.fixed());
    forget(shared_.parts.index_keys->Lane(loaded.head.tenant(), lane));
    forget(CrowdLane(loaded.head.tenant()));
    if (const auto paused = PausedLane(home, loaded)) forget(*paused);
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
      home.ready.Erase(found);
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
  if (row.key.due_ms > round.now_ms) {  // it came to wait by a clock that was ahead
    ready_wake_ms_ = std::min(ready_wake_ms_, row.key.due_ms);
    return false;
  }
  if (FireGated(round, *oldest, **found, row.key.name, row.value, &row.key, /*can_wait=*/false) != Fired::kYes)
    return false;
  ++round.work;
  queue->Pop();
  return true;
}

}  // namespace smsflow::engine
