// A thread that owns some shards and is their only writer. It takes what is queued, decides, writes one synced batch,
// answers, and takes again; it never waits to fill a batch.
//
//   queue ─▶ decide (transition.cc) ─▶ one batch (commit.cc) ─▶ answers, leases, tells
//             ▲ due timers (timers.cc), ready rows, sweeps
//
// Each kind of event has a file of its own: create.cc, events.cc, reports.cc, tells.cc, sweeps.cc, pauses.cc,
// timers.cc, retention.cc, feeds.cc. Offer(), Post() and Wake() are thread-safe and do not block; all else belongs to
// the partition's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "engine/figures.h"
#include "engine/instances.h"
#include "engine/round.h"
#include "engine/shard.h"
#include "engine/shared.h"

namespace smsflow::engine {

class Partition {
 public:
  Partition(Shared& shared, std::uint16_t number, std::vector<ShardId> shards);
  ~Partition();

  // Before anything else; blocks for the store.
  absl::Status Recover(std::int64_t now_ms);

  enum class Offered { kTaken, kFull, kStopping };
  Offered Offer(Command& command);  // moved from only when it was taken
  void Post(Internal item);
  void Wake();
  bool Congested() const;

  void Start();
  void Stop();     // takes no more, ends the thread; what was queued is refused
  bool RunOnce();  // one round on the calling thread; true when something was done

  // What recovery found on its way to other shards; once all partitions have recovered.
  void SendRecovered();

  Figures TakeFigures() const;

 private:
  // What came of one event.
  struct Outcome {
    workflows::Decision decision;
    bool leased = false;
    bool stored() const {
      return decision.verdict == workflows::Verdict::kApplied || decision.verdict == workflows::Verdict::kNoted;
    }
  };
  struct Cause {  // of an event
    std::string_view actor;
    const PeerRef* peer = nullptr;
    std::string* payload = nullptr;  // that came with it; taken when the decision says so
  };
  struct Before {  // what an event found
    std::uint16_t state = 0;
    bool had_payload = false;
  };
  enum class Fired { kYes, kWaits, kNoBudget };

  Shard& shard(ShardId id) { return *shards_.at(by_shard_.at(id.value)); }
  storage::Store& store() { return *shared_.parts.store; }
  [[noreturn]] void Fail(const absl::Status& status);

  // partition.cc
  void Run();
  void HandleQueued(Round& round, std::uint32_t most);
  void Refuse(Command& command, const absl::Status& why);
  static void Drop(Internal& item);
  void FollowClock(Round& round);
  std::int64_t NextWakeMs(std::int64_t now_ms);

  // transition.cc
  Outcome Decide(Round& round, Shard& shard, Loaded& loaded, const workflows::Event& event, const Cause& cause);
  void Absorb(Round& round, Shard& shard, Loaded& loaded, Outcome& outcome, const Cause& cause);
  void ChangeTimers(Round& round, Shard& shard, Loaded& loaded, const workflows::Decision& decision);
  void SetTimer(Round& round, Shard& shard, Loaded& loaded, const workflows::TimerChange& change);
  void ClearTimer(Round& round, Shard& shard, Loaded& loaded, std::uint16_t name);
  void CoverTimers(Round& round, Shard& shard, Loaded& loaded);
  void OpenEffects(Round& round, Shard& shard, Loaded& loaded, Outcome& outcome, const Cause& cause);
  void Settle(Round& round, Shard& shard, Loaded& loaded, const workflows::Decision& decision);
  static void CloseLease(Round& round, Shard& shard, const AttemptId& attempt);
  void WriteTells(Round& round, Shard& shard, const Loaded& loaded, const workflows::Decision& decision,
                  std::string_view actor);
  void WriteTell(Round& round, Shard& source, ShardId destination, stored::TellRow row);
  std::uint64_t NextTell(Shard& source, ShardId destination);
  void Journal(Round& round, Shard& shard, Loaded& loaded, const workflows::Event& event, const Outcome& outcome,
               const Cause& cause, const workflows::Facts& facts, const Policy& policy, const Before& before);
  const std::string& EncodeState(Round& round, Loaded& loaded);
  void Count(const Loaded& loaded, const workflows::Workflow& workflow, const workflows::Decision& decision,
             std::uint16_t from_state);
  void CopyFigures(const Round& round);
  void MeasureWaits(const Round& round);

  // memberships.cc
  bool IsMember(const Round& round, const storage::Key& key);
  std::uint64_t Memberships(const Round& round, const Shard& shard, Loaded& loaded, std::uint64_t sets);
  bool ChangeMembership(Round& round, Shard& shard, const std::string& tenant, const std::string& target,
                        const workflows::MembershipChange& change, std::string_view actor);

  // create.cc, events.cc, reports.cc
  void Handle(Round& round, CreateItem& item);
  Answer Create(Round& round, Shard& shard, CreateRequest& request);
  void Handle(Round& round, EventItem& item);
  Answer Apply(Round& round, EventRequest& request);
  void Handle(Round& round, ReportItem& item);
  ReportOutcome Report(Round& round, const PeerHello& from, const AttemptId& attempt, workflows::Event& event);
  void Handle(Round& round, AttachedItem& item);
  void Handle(Round& round, TakenItem& item);
  void LoseStores(Round& round);
  void RepeatOpenLeases(Round& round);
  void SendOpenLease(Round& round, Shard& shard, const AttemptId& attempt, const OpenLease& lease,
                     const Attachment& attachment);
  Lease RenderLease(const Shard& shard, const Loaded& loaded, std::uint32_t number, std::int64_t deadline_ms);

  // feeds.cc
  void Handle(Round& round, FedItem& item);
  void Handle(Round& round, ProgressItem& item);
  static AppliedFeed& FeedOf(Shard& shard, const FeedRef& feed);
  static void Note(Round& round, const Shard& shard, AppliedFeed& applied);
  void WriteFeeds(Round& round);
  void LayAside(Round& round, Shard& shard, const Origin& origin, std::string reason);
  absl::Status RecoverFeeds(Shard& shard);

  // tells.cc, sweeps.cc, pauses.cc
  void Handle(Round& round, TellItem& item);
  void Handle(Round& round, TellsAppliedItem& item);
  void ForgetTells(Round& round);
  void Handle(Round& round, SweepItem& item);
  void BeginSweep(Round& round, Shard& shard, const std::string& command, const SweepRequest& request);
  void Handle(Round& round, PauseItem& item);
  void StartSweep(Round& round, Shard& shard, stored::SweepRow row);
  void SweepSome(Round& round);
  bool SweepChunk(Round& round, Shard& shard);
  bool SweepByIndex(Round& round, Shard& shard, stored::SweepRow& row);
  bool SweepAll(Round& round, Shard& shard, stored::SweepRow& row);
  void SweepOne(Round& round, Shard& shard, stored::SweepRow& row, const InstanceId& id);
  void ChangePause(Round& round, Shard& shard, const stored::PauseChange& change);
  std::optional<storage::Lane8> PausedLane(const Shard& shard, const Loaded& loaded) const;

  // timers.cc, ready_serving.cc, retention.cc
  void FireDue(Round& round);
  bool FireDueOf(Round& round, Shard& shard);
  void FireBacklog(Round& round);
  Fired Fire(Round& round, Shard& shard, const Timer& timer, bool backlog);
  Fired FireLive(Round& round, Shard& shard, Loaded& loaded, const Timer& timer, bool backlog);
  void WakeCovered(Round& round, Shard& shard, Loaded& loaded);
  Fired FireGated(Round& round, Shard& shard, Loaded& loaded, std::uint16_t name, const storage::ReadyValue& names,
                  const storage::ReadyKey* ready, bool can_wait);
  Fired Park(Round& round, Shard& shard, const storage::Lane8& lane, const Loaded& loaded,
             const stored::LiveTimer& live, const storage::ReadyValue& names, const storage::ReadyKey* ready);
  void FireOpen(Round& round, Shard& shard, Loaded& loaded, std::uint16_t name);
  void ServeReady(Round& round);
  storage::Lane8 LaneOf(const Shard& shard, const storage::ReadyValue& names) const;
  storage::Lane8 CrowdLane(const std::string& tenant) const;
  void ForgetReady(Round& round, Shard& shard, const Loaded& loaded, const workflows::Decision& decision);
  std::vector<storage::Lane8> LanesServedNow();
  void KnowLane(const storage::Lane8& lane, ShardId where, const storage::ReadyValue& names);
  void ForgetLane(const storage::Lane8& lane);
  std::int64_t OldestReady();
  bool ServeOldest(Round& round, const storage::Lane8& lane);
  bool WaitsFor(const PeerHello& peer);
  void Erase(Round& round, Shard& shard, Loaded& loaded);
  bool DropOldSegment(Round& round, Shard& shard);

  // commit.cc
  void Commit(Round& round);
  void WriteInstances(Round& round);
  void SaveMarks(Round& round);
  void SaveMarksOf(Round& round, Shard& shard);
  void MoveOldOutboxRows(Round& round, Shard& shard);
  bool MoveDeadLetter(Round& round, const Shard& home, std::uint64_t from, std::uint64_t to, std::string_view value);
  void Publish(Round& round);
  void GiveBackCredit(const Round& round);
  void SendOut(Round& round);

  // recovery.cc
  absl::Status RecoverShard(ShardId id, std::int64_t now_ms);
  absl::Status RecoverOutbox(Shard& shard, std::uint64_t from);
  absl::Status RecoverTells(Shard& shard);
  absl::Status RecoverSweeps(Shard& shard, std::int64_t now_ms);
  absl::Status RecoverPauses(Shard& shard);

  Shared& shared_;
  const std::uint16_t number_;
  std::vector<ShardId> shard_ids_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::map<std::uint16_t, std::size_t> by_shard_;
  Instances instances_;
  std::size_t turn_ = 0;  // which shard is asked first, so that none is always last

  // Lanes with ready rows: in which shards, and whose; by tenant and name, where they are not of a pause; and whether
  // it is worth looking.
  struct ReadyLane {
    std::set<std::uint16_t> shards;
    bool own = false;
    bool looked_at = false;  // since OldestReady() was last asked
    storage::ReadyValue names;
  };
  struct ReadyTenant {
    std::map<std::string, storage::Lane8> lanes;
    std::string turn;  // the one that was served last
  };
  std::map<storage::Lane8, ReadyLane> ready_lanes_;
  std::map<std::string, ReadyTenant> ready_tenants_;
  std::set<storage::Lane8> ready_held_;                 // of pauses
  std::string ready_turn_;                              // the tenant that was served last
  std::uint64_t ready_seen_ = ~0ULL;                    // Peers::version() when they were last served
  bool ready_in_line_ = false;                          // for credit of a peer
  bool ready_again_ = true;                             // a pause ended, or work was left when the round was full
  std::int64_t ready_wake_ms_ = TimerCursor::kForever;  // the clock went back: so long until the first of them is due
  bool no_budget_ = false;                              // in this round, something overdue found no token
  bool budget_waited_ = false;                          // in the round before

  std::int64_t marks_saved_ms_ = 0;
  std::int64_t clock_at_ms_ = 0;
  bool clock_followed_ = false;
  std::uint64_t clock_trusted_ = 0;
  std::int64_t segments_checked_ms_ = 0;
  std::size_t segment_turn_ = 0;
  bool segment_again_ = false;  // the last look ended in the middle
  absl::flat_hash_set<storage::Hash16> policies_stored_;
  // What a peer that came back is told again; a peer may hold as many leases as its window.
  struct Returning {
    std::shared_ptr<const Attachment> attachment;
    std::vector<AttemptId> leases;
    std::size_t next = 0;
  };
  std::vector<Returning> returning_;
  std::vector<std::shared_ptr<const Attachment>> losing_;  // whose gateway's older stores are still to be told
  std::map<PeerId, PeerRef> recovered_peers_;
  std::vector<TellItem> recovered_tells_;
  std::vector<engine::Post> recovered_posts_;
  std::map<std::pair<ShardId, ShardId>, std::uint64_t> tells_told_;  // (source, destination): rows up to here may go
  std::vector<storage::TimerKey> standing_;                          // rows whose timers the present decision cleared
  stored::JournalBody body_;                                         // reused, to save allocations
  stored::OutboxRow outbox_row_;
  stored::FeedRow feed_row_;
  std::string encoded_;

  // What came, and what the thread has taken and not yet come to: taken whole, not one by one.
  template <class Item>
  struct Taken {
    std::vector<Item> items;
    std::size_t next = 0;
    bool empty() const { return next == items.size(); }
  };
  Taken<Command> commands_taken_;
  Taken<Internal> internals_taken_;
  mutable absl::Mutex queue_mutex_;
  std::vector<Command> commands_ ABSL_GUARDED_BY(queue_mutex_);
  std::vector<Internal> internals_ ABSL_GUARDED_BY(queue_mutex_);
  std::size_t commands_left_ ABSL_GUARDED_BY(queue_mutex_) = 0;  // of those taken
  std::size_t internals_left_ ABSL_GUARDED_BY(queue_mutex_) = 0;
  bool woken_ ABSL_GUARDED_BY(queue_mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(queue_mutex_) = false;
  bool stepped_ = true;  // by its owner, for want of a thread
  std::thread thread_;

  Figures counts_;  // of the partition's thread
  std::int64_t figures_copied_ms_ = 0;
  std::int64_t waits_measured_ms_ = 0;
  mutable absl::Mutex figures_mutex_;
  Figures figures_ ABSL_GUARDED_BY(figures_mutex_);
};

// What is stored of all shards; may block for the disk. Thread-safe.
absl::StatusOr<FeedPosition> ReadFeed(const storage::Store& store, std::uint16_t shards, const FeedId& feed);

// Adds to the right bucket.
void Observe(Histogram& histogram, double value);

}  // namespace smsflow::engine
