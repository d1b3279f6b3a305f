// What is due and waits: lanes in turn, one lease each, the oldest of a lane first. So a tenant without a gateway stops
// nobody else, and costs nothing while nothing changes.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "engine/partition.h"
#include "storage/records.h"

namespace smsflow::engine {

void Partition::ServeReady(Round& round) {
  const bool woken = round.now_ms >= ready_wake_ms_;
  if (woken) ready_wake_ms_ = TimerCursor::kForever;
  if (shared_.draining.load(std::memory_order_relaxed) || ready_lanes_.empty()) {
    if (ready_in_line_) ready_in_line_ = shared_.peers.StandInLine(number_, [](const PeerHello&) { return false; });
    return;
  }
  const std::uint64_t version = shared_.peers.version();
  if (version == ready_seen_ && !ready_again_ && !budget_waited_ && !woken) return;
  ready_seen_ = version;
  ready_again_ = false;
  ready_wake_ms_ = TimerCursor::kForever;

  const std::uint32_t limit = round.work + shared_.options.batch_max;
  std::vector<storage::Lane8> lanes = LanesServedNow();
  while (!lanes.empty()) {
    std::vector<storage::Lane8> more;
    for (const storage::Lane8& lane : lanes) {
      if (round.work >= limit) {
        ready_again_ = true;
        return;
      }
      const auto known = ready_lanes_.find(lane);
      if (known == ready_lanes_.end()) continue;
      const storage::ReadyValue names = known->second.names;
      if (!ServeOldest(round, lane)) continue;
      more.push_back(lane);
      if (const auto tenant = ready_tenants_.find(names.tenant); tenant != ready_tenants_.end()) {
        ready_turn_ = names.tenant;
        tenant->second.turn = names.lane;
      }
    }
    lanes = std::move(more);
  }
  ready_in_line_ = shared_.peers.StandInLine(number_, [this](const PeerHello& peer) { return WaitsFor(peer); });
}

// Whether anybody here waits in a lane that the peer serves.
bool Partition::WaitsFor(const PeerHello& peer) {
  if (shards_.front()->pauses.gateways().count(peer.peer.gateway) != 0) return false;
  return std::any_of(peer.tenants.begin(), peer.tenants.end(), [&](const std::string& tenant) {
    const auto known = ready_tenants_.find(tenant);
    if (known == ready_tenants_.end()) return false;
    const auto waits = [&](const std::string& lane) { return known->second.lanes.count(lane) != 0; };
    return peer.lanes.empty() || waits("") || std::any_of(peer.lanes.begin(), peer.lanes.end(), waits);
  });
}

// Where those of a tenant wait together that has more lanes than it may. They may hold each other up, and nobody else.
storage::Lane8 Partition::CrowdLane(const std::string& tenant) const {
  return shared_.parts.index_keys->Lane(tenant, "\n");  // no name of a lane has control characters
}

storage::Lane8 Partition::LaneOf(const Shard& home, const storage::ReadyValue& names) const {
  const storage::Lane8 own = shared_.parts.index_keys->Lane(names.tenant, names.lane);
  return home.ready.HasRoomFor(names.tenant, own) ? own : CrowdLane(names.tenant);
}

// Those of pauses, which may have ended, and of the others such as a peer with credit serves: of those that nobody
// serves there may be any number, for their names come from clients. Tenants in turn, and the lanes of each in turn: it
// goes on behind the one that was served last, so that with little credit each gets some. Of one tenant no more than a
// round can serve.
std::vector<storage::Lane8> Partition::LanesServedNow() {
  std::vector<storage::Lane8> lanes(ready_held_.begin(), ready_held_.end());
  std::map<std::string, std::vector<storage::Lane8>> by_tenant;
  for (const auto& [tenant, names] : shared_.peers.ServedNow(number_, shards_.front()->pauses.gateways())) {
    const auto known = ready_tenants_.find(tenant);
    if (known == ready_tenants_.end()) continue;
    const ReadyTenant& tenant_lanes = known->second;
    auto& served = by_tenant[tenant];
    // What the peers name or what waits, whichever is given; each from behind the last turn on.
    const auto in_turn = [&](const auto& all, const auto& take) {
      auto next = all.upper_bound(tenant_lanes.turn);
      for (std::size_t i = 0; i < all.size() && served.size() < shared_.options.batch_max; ++i, ++next) {
        if (next == all.end()) next = all.begin();
        take(*next);
      }
    };
    if (names) {
      in_turn(*names, [&](const std::string& name) {
        const auto lane = tenant_lanes.lanes.find(name);
        if (lane != tenant_lanes.lanes.end()) served.push_back(lane->second);
      });
    } else {
      in_turn(tenant_lanes.lanes, [&](const auto& lane) { served.push_back(lane.second); });
    }
  }
  auto next = by_tenant.upper_bound(ready_turn_);
  for (std::size_t depth = 0, left = by_tenant.size(); left != 0; ++depth) {
    left = 0;
    for (std::size_t i = 0; i < by_tenant.size(); ++i, ++next) {
      if (next == by_tenant.end()) next = by_tenant.begin();
      if (depth >= next->second.size()) continue;
      lanes.push_back(next->second[depth]);
      ++left;
    }
  }
  return lanes;
}

void Partition::KnowLane(const storage::Lane8& lane, ShardId where, const storage::ReadyValue& names) {
  const auto [known, fresh] = ready_lanes_.try_emplace(lane);
  known->second.shards.insert(where.value);
  if (!fresh) return;
  // In a lane of their own all wait for the same peers. Of those that a pause held together, each goes to its own.
  known->second.own = lane == shared_.parts.index_keys->Lane(names.tenant, names.lane);
  if (!known->second.own) {
    ready_held_.insert(lane);
    return;
  }
  known->second.names = names;
  ready_tenants_[names.tenant].lanes[names.lane] = lane;
}

void Partition::ForgetLane(const storage::Lane8& lane) {
  const auto known = ready_lanes_.find(lane);
  if (known == ready_lanes_.end()) return;
  if (known->second.own) {
    const auto tenant = ready_tenants_.find(known->second.names.tenant);
    tenant->second.lanes.erase(known->second.names.lane);
    if (tenant->second.lanes.empty()) ready_tenants_.erase(tenant);
  } else {
    ready_held_.erase(lane);
  }
  ready_lanes_.erase(known);
}

// When the oldest of those that wait was due. Lanes that have no rows any more go, and those that nobody serves keep no
// more than their first in memory.
std::int64_t Partition::OldestReady() {
  std::int64_t oldest_ms = TimerCursor::kForever;
  for (auto next = ready_lanes_.begin(); next != ready_lanes_.end();) {
    auto& [lane, known] = *next++;
    const bool in_use = std::exchange(known.looked_at, false);
    for (auto where = known.shards.begin(); where != known.shards.end();) {
      ReadyQueues& ready = shard(ShardId{*where}).ready;
      const auto queue = ready.queues().find(lane);
      if (queue->second.NothingRead() || queue->second.FirstAtOrAfter() < oldest_ms) {
        const auto first = queue->second.Peek(store());
        if (!first.ok()) Fail(first.status());
        if (*first == nullptr) {
          ready.Erase(queue);
          where = known.shards.erase(where);
          continue;
        }
        oldest_ms = std::min(oldest_ms, (*first)->key.due_ms);
      }
      if (!in_use) queue->second.Forget();
      ++where;
    }
    if (known.shards.empty()) ForgetLane(storage::Lane8(lane));
  }
  return oldest_ms;
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
  ReadyLane& names = where->second;
  if (names.own && shared_.peers.OfLane(names.names.tenant, names.names.lane).credit == 0) return false;
  names.looked_at = true;
  Shard* oldest = nullptr;
  ReadyQueue* queue = nullptr;
  const ReadyQueue::Entry* first = nullptr;
  for (auto it = where->second.shards.begin(); it != where->second.shards.end();) {
    Shard& home = shard(ShardId{*it});
    const auto found = home.ready.queues().find(lane);
    auto row = found->second.Peek(store());
    if (!row.ok()) Fail(row.status());
    if (*row == nullptr) {
      home.ready.Erase(found);
      it = where->second.shards.erase(it);
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
    ForgetLane(lane);
    return false;
  }

  const ReadyQueue::Entry row = *first;
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
