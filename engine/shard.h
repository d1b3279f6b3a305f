// One shard's place in memory: how far its journal, timers, outbox and tells have come, and what waits in it. Bounded:
// heads of indexes, open leases (the peers' windows), sweeps and pauses that people asked for.
// Not thread-safe: belongs to its partition.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "absl/container/btree_map.h"
#include "engine/feed.h"
#include "engine/pauses.h"
#include "engine/peers.h"
#include "engine/ready.h"
#include "engine/timers.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/journal.h"
#include "storage/keys.h"

namespace smsflow::engine {

struct OpenLease {
  PeerRef peer;
  std::string tenant;
  std::uint64_t outbox = 0;
  std::int64_t deadline_ms = 0;
  std::int64_t opened_ms = 0;
  bool accepted = false;
};

// How far this shard has come in one partition of a log outside.
struct AppliedFeed {
  FeedRef feed;
  std::uint64_t next = 0;
  storage::Hash16 digest{};  // of the record before `next`; zeros: not known
  bool known = false;        // it has begun
  bool changed = false;      // in this round
};

struct Shard {
  Shard(ShardId shard, std::int64_t backlog_from_ms, std::int64_t start_ms)
      : id(shard),
        backlog(shard, backlog_from_ms, start_ms),
        live(shard, start_ms, TimerCursor::kForever),
        live_mark_ms(start_ms - 1) {}

  ShardId id;
  storage::ChainHead chain;
  std::uint64_t epoch = 1;

  // Timers: those overdue when the engine started, spread by the budget; and all others.
  TimerCursor backlog;
  TimerCursor live;
  std::int64_t backlog_mark_ms = 0;  // all below is taken
  std::int64_t live_mark_ms;         // all up to here is taken
  bool backlog_done = false;
  // Of what is stored, all below has fired, waits in a ready row, or is garbage.
  std::int64_t TakenTo() const { return backlog_done ? live_mark_ms + 1 : backlog_mark_ms; }

  ReadyQueues ready;

  std::uint64_t outbox_next = 1;
  absl::btree_map<AttemptId, OpenLease> leases;
  absl::btree_map<std::uint64_t, AttemptId> open_outbox;  // rows still needed, by sequence; number 0: a post

  std::map<std::uint16_t, std::uint64_t> tell_next;                           // by destination
  std::map<std::uint16_t, std::uint64_t> tell_applied;                        // by source
  std::map<std::string, std::deque<::smsflow::stored::v1::SweepRow>> sweeps;  // by tenant: they have their turns
  std::string swept_last;                                                     // whose turn the last one was
  std::map<FeedId, AppliedFeed> feeds;
  Pauses pauses;
  std::int64_t id_from_ms = 0;    // new ids are not older than this
  std::int64_t id_newest_ms = 0;  // there is none that is newer

  // Marks are written now and then: rows behind the stored ones are only garbage that is looked at again.
  ::smsflow::stored::v1::ShardMarks marks;  // as last written
  std::uint64_t passed = 0;                 // rows of timers and outbox that became garbage since then
  std::uint64_t garbage = 0;                // the same, since ranges were last deleted
  std::uint64_t erased_to = 0;
  std::uint64_t segment_seen = 0;  // of the oldest segment all records up to here are without bodies

  // Rises with every change of a membership, so that what an instance has read stays good until then; 0: none was ever
  // stored here, and none need be asked for.
  std::uint64_t memberships = 0;
  bool touched = false;  // has new journal records in this round
};

}  // namespace smsflow::engine
