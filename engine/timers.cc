// Where a timer fires. Timers that are not gated fire when they are due. A gated one fires only through its gate: not
// paused, a peer with credit, nobody waiting longer for it, and, when it is late, a token of the fire budget; else it
// becomes a ready row (ready_serving.cc).
#include <algorithm>
#include <utility>

#include "engine/partition.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

constexpr int kTurn = 8;  // timers of one shard before the next one has its turn

const stored::LiveTimer* FindTimer(const Loaded& loaded, std::uint16_t name) {
  for (const auto& timer : loaded.state.timers())
    if (timer.name() == name) return &timer;
  return nullptr;
}

// Takes the timer from the state: firing consumes it.
workflows::Event TakeTimer(Loaded& loaded, std::uint16_t name) {
  workflows::Event event;
  event.kind = workflows::kTimerFired;
  event.timer = name;
  auto& timers = *loaded.state.mutable_timers();
  for (int i = 0; i < timers.size(); ++i) {
    if (timers[i].name() != name) continue;
    event.timer_due_ms = timers[i].due_ms();
    timers.DeleteSubrange(i, 1);
    break;
  }
  return event;
}

}  // namespace

void Partition::FireDue(Round& round) {
  const std::uint32_t limit = round.work + shared_.options.batch_max;
  bool any = true;
  while (any && round.work < limit) {
    any = false;
    for (std::size_t i = 0; i < shards_.size() && round.work < limit; ++i)
      any |= FireDueOf(round, *shards_[(turn_ + i) % shards_.size()]);
  }
}

bool Partition::FireDueOf(Round& round, Shard& home) {
  for (int i = 0; i < kTurn; ++i) {
    auto next = home.live.Peek(store());
    if (!next.ok()) Fail(next.status());
    if (*next == nullptr || (*next)->key.due_ms > round.now_ms) {
      home.live_mark_ms = std::max(home.live_mark_ms, round.now_ms);
      return false;
    }
    const Timer timer = **next;
    home.live.Pop();
    home.live_mark_ms = std::max(home.live_mark_ms, timer.key.due_ms - 1);
    Fire(round, home, timer, /*backlog=*/false);
    ++home.passed;
    ++round.work;
  }
  return true;
}

// What was overdue when the engine started: the oldest of all shards first, at the budget's pace.
void Partition::FireBacklog(Round& round) {
  const std::uint32_t limit = round.work + shared_.options.batch_max / 2;
  while (round.work < limit) {
    Shard* oldest = nullptr;
    const Timer* first = nullptr;
    for (const auto& home : shards_) {
      if (home->backlog_done) continue;
      auto next = home->backlog.Peek(store());
      if (!next.ok()) Fail(next.status());
      if (*next == nullptr) {
        home->backlog_done = true;
        ++home->passed;
        continue;
      }
      if (first == nullptr || (*next)->key.due_ms < first->key.due_ms) {
        oldest = home.get();
        first = *next;
      }
    }
    if (oldest == nullptr || first->key.due_ms > round.now_ms) return;  // the clock went back: not overdue any more
    const Timer timer = *first;
    if (Fire(round, *oldest, timer, /*backlog=*/true) == Fired::kNoBudget) {
      no_budget_ = true;
      return;
    }
    oldest->backlog.Pop();
    oldest->backlog_mark_ms = timer.key.due_ms;
    ++oldest->passed;
    ++round.work;
  }
}

Partition::Fired Partition::Fire(Round& round, Shard& home, const Timer& timer, bool backlog) {
  auto found = instances_.Find(timer.key.instance);
  if (!found.ok()) Fail(found.status());
  if (*found == nullptr) {
    ++counts_.timers_garbage;
    return Fired::kYes;
  }
  const Fired fired = FireLive(round, home, **found, timer, backlog);
  if (fired != Fired::kNoBudget) WakeCovered(round, home, **found);
  return fired;
}

Partition::Fired Partition::FireLive(Round& round, Shard& home, Loaded& loaded, const Timer& timer, bool backlog) {
  const stored::LiveTimer* live = FindTimer(loaded, timer.key.name);
  const bool mine = live != nullptr && timer.key.due_ms == IndexMs(*live);
  const bool unread = timer.key.name == workflows::kRetentionTimer && loaded.changed;  // its last record; CoverTimers()
  if (!mine || unread) {
    ++counts_.timers_garbage;
    return Fired::kYes;
  }
  ++counts_.timers_fired;
  if (timer.key.name == workflows::kRetentionTimer) {
    Erase(round, home, loaded);
    return Fired::kYes;
  }
  if (!live->gated()) {
    FireOpen(round, home, loaded, timer.key.name);
    return Fired::kYes;
  }
  return FireGated(round, home, loaded, timer.key.name, {loaded.head.tenant(), timer.value.lane}, nullptr,
                   /*can_wait=*/backlog);
}

// A row of the instance has passed, so its timers without one are due too, or the first of them gets one. The mark that
// it has none stays: what the journal says of an instance does not change without a record, and a row too many is only
// garbage.
void Partition::WakeCovered(Round& round, Shard& home, Loaded& loaded) {
  while (!loaded.erased) {
    const stored::LiveTimer* first = nullptr;
    for (const stored::LiveTimer& timer : loaded.state.timers())
      if (timer.covered() && (first == nullptr || IndexMs(timer) < IndexMs(*first))) first = &timer;
    if (first == nullptr) return;
    const auto name = static_cast<std::uint16_t>(first->name());
    if (IndexMs(*first) > round.now_ms) {
      // With a clock that went back a little this time may lie before the mark: whatever row comes next wakes it too.
      round.new_timers[{home.id, std::max(IndexMs(*first), home.live_mark_ms + 1), loaded.id, name}] = {};
      return;
    }
    ++counts_.timers_fired;
    if (name == workflows::kRetentionTimer) return Erase(round, home, loaded);
    FireOpen(round, home, loaded, name);
  }
}

void Partition::FireOpen(Round& round, Shard& home, Loaded& loaded, std::uint16_t name) {
  Decide(round, home, loaded, TakeTimer(loaded, name), {"engine"});
}

// `can_wait`: whoever asks keeps it where it is when only the budget is missing.
Partition::Fired Partition::FireGated(Round& round, Shard& home, Loaded& loaded, std::uint16_t name,
                                      const storage::ReadyValue& names, const storage::ReadyKey* ready, bool can_wait) {
  const stored::LiveTimer& live = *FindTimer(loaded, name);
  if (const auto paused = PausedLane(home, loaded)) return Park(round, home, *paused, loaded, live, names, ready);
  const auto lane = [&] { return LaneOf(home, names); };
  const bool others_first = ready == nullptr && !home.ready.empty() && home.ready.Has(lane());
  if (shared_.draining.load(std::memory_order_relaxed) || others_first)
    return Park(round, home, lane(), loaded, live, names, ready);

  const std::int64_t late_ms = round.now_ms - live.due_ms();
  const bool late = late_ms > shared_.options.late_ms;
  // Before the credit: whoever gives credit back wakes all partitions, and they would turn round and round.
  if (late && !shared_.budget.Take(round.steady_ms)) {
    no_budget_ = true;
    return can_wait ? Fired::kNoBudget : Park(round, home, lane(), loaded, live, names, ready);
  }
  const PeerRef peer = shared_.peers.Take(number_, names.tenant, names.lane, home.pauses.gateways());
  if (!peer) {
    if (late) shared_.budget.GiveBack();
    return Park(round, home, lane(), loaded, live, names, ready);
  }

  const Outcome outcome = Decide(round, home, loaded, TakeTimer(loaded, name), {"engine", &peer, nullptr});
  if (outcome.leased) {
    Observe(counts_.lateness_ms, static_cast<double>(std::max<std::int64_t>(late_ms, 0)));
  } else {
    shared_.peers.Release(*peer);
    if (late) shared_.budget.GiveBack();
  }
  if (ready != nullptr) storage::DeleteReady(round.batch, *ready);
  return Fired::kYes;
}

Partition::Fired Partition::Park(Round& round, Shard& home, const storage::Lane8& lane, const Loaded& loaded,
                                 const stored::LiveTimer& live, const storage::ReadyValue& names,
                                 const storage::ReadyKey* ready) {
  if (ready != nullptr && ready->lane == lane) return Fired::kWaits;
  if (ready != nullptr) storage::DeleteReady(round.batch, *ready);
  const storage::ReadyKey key{home.id, lane, live.due_ms(), loaded.id, static_cast<std::uint16_t>(live.name())};
  storage::PutReady(round.batch, key, names.tenant, names.lane);
  round.new_ready.emplace_back(key, names);
  return Fired::kYes;
}

}  // namespace smsflow::engine
