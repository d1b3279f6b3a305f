// One round of a partition: everything that is decided before one write. A round is made of units, each of one shard;
// nothing relies on their being written together, but it is what makes a sync cheap.
//
// Holds the batch, what must be visible to later decisions of the same round though it is not stored yet, and what may
// happen only once all of it is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/functional/any_invocable.h"
#include "engine/bus.h"
#include "engine/instances.h"
#include "engine/shard.h"
#include "engine/shared.h"
#include "engine/timers.h"
#include "storage/store.h"

namespace smsflow::engine {

struct Changed {
  Loaded* loaded = nullptr;
  std::string state;  // encoded, as its last journal record has it
};

// What leaves for one peer.
struct Outgoing {
  PeerRef peer;
  std::vector<Lease> leases;
  std::vector<Probe> probes;
};

struct Round {
  std::int64_t now_ms = 0;  // by which everything in it is decided; behind the wall clock only while the guard is on
  std::int64_t steady_ms = 0;
  bool guarded = false;    // the clock jumped: nothing fires
  std::uint32_t work = 0;  // commands and timers decided

  storage::Batch batch;
  std::vector<Changed> changed;  // instances whose rows are written at the end, once each

  // Not stored yet, but decided.
  absl::btree_map<storage::TimerKey, storage::TimerValue> new_timers;              // cleared again: never written
  std::map<std::string, stored::DedupeRow, std::less<>> dedupe;                    // by encoded key
  std::map<std::string, bool, std::less<>> memberships;                            // by encoded key: member now?
  std::map<std::pair<std::uint16_t, std::uint16_t>, std::uint64_t> tells_applied;  // (destination, source) → sequence

  std::vector<std::pair<ShardId, AppliedFeed*>> feeds;  // that moved, once each

  // Once durable, in this order.
  std::vector<std::pair<storage::ReadyKey, storage::ReadyValue>> new_ready;
  std::vector<std::pair<ShardId, stored::SweepRow>> new_sweeps;
  std::vector<ShardId> touched;   // shards with new journal records, once each
  std::vector<PeerRef> released;  // a credit each
  std::vector<std::pair<absl::AnyInvocable<void(ReportAnswer)>, ReportAnswer>> reported;
  std::vector<std::pair<Done, Answer>> replies;
  std::vector<std::pair<FedDone, FedAnswer>> fed;
  std::vector<absl::AnyInvocable<void()>> answers;  // of commands that concern many shards
  std::vector<Outgoing> outgoing;
  std::vector<Post> posts;
  std::vector<std::pair<ShardId, TellItem>> tells;  // to whom

  Outgoing& To(const PeerRef& peer) {
    for (Outgoing& one : outgoing)
      if (one.peer == peer || *one.peer == *peer) return one;
    outgoing.push_back({peer, {}, {}});
    return outgoing.back();
  }
};

}  // namespace smsflow::engine
