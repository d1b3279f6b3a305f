// The engine: owns the partitions, their threads, and everything between a command and its durable effect.
//
// Commands are queued on the partition that owns their shard, decided there by the workflow, committed in a synced
// batch with what else was queued, and answered. So an answer means: it is on disk. `done` callbacks run on a
// partition's thread, once, and must neither block nor call back into the engine synchronously for long; when the
// engine stops they get UNAVAILABLE.
//
// Errors, all as canonical codes: INVALID_ARGUMENT and FAILED_PRECONDITION from workflows (with violations), NOT_FOUND
// for an unknown id and for another tenant's, ALREADY_EXISTS for a used idempotency key with another content,
// RESOURCE_EXHAUSTED when a queue is full or the disk nearly is, UNAVAILABLE when stopping or draining.
//
// A failed write ends the process at once (see FatalHandler): nobody can know whether it happened.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/bus.h"
#include "engine/feed.h"
#include "engine/figures.h"
#include "engine/seams.h"
#include "ids/ids.h"
#include "storage/high_water.h"
#include "storage/index_keys.h"
#include "storage/keys.h"
#include "storage/store.h"
#include "workflows/workflow.h"

namespace smsflow::engine {

struct EngineOptions {
  std::uint16_t shards = 64;               // as the data folder says
  std::uint16_t partitions = 2;            // threads; each owns shards, no shard has two
  std::uint32_t batch_max = 256;           // commands and timers decided before one write
  std::uint32_t queue_max = 50'000;        // commands queued per partition; beyond it new ones are refused
  std::uint64_t cache_bytes = 64 << 20;    // instances kept in memory, per partition
  std::uint32_t fire_budget_per_s = 1000;  // leases that leave more than `late_ms` after they were due
  std::int64_t late_ms = 60'000;
  std::int64_t clock_jump_ms = 300'000;  // a jump of the wall clock beyond it stops firing
  std::int64_t dedupe_min_ms = 24 * 3'600'000;
  std::uint64_t segment_records = 65'536;  // of a journal, which go together once all their bodies are gone
  bool sync = true;                        // false only to prove that tests notice
};

// What a tenant is allowed and how its workflows behave. Thread-safe; the views stay good for ever.
struct Policy {
  std::string bytes;         // for the workflow
  storage::Hash16 digest{};  // of `bytes`
};
using Policies = std::function<const Policy&(std::string_view tenant, std::uint16_t workflow)>;

// Called with one line when going on would be wrong (a failed write, a peer that has seen more than is stored). Must
// not return; the real one ends the process.
using FatalHandler = std::function<void(const absl::Status&)>;

struct EngineParts {
  storage::Store* store = nullptr;
  const storage::IndexKeys* index_keys = nullptr;
  storage::HighWater* high_water = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  Policies policies;
  FatalHandler fatal;
  PostSink* posts = nullptr;  // null: posts wait in the outbox
  std::vector<const workflows::Workflow*> workflows;
};

struct CreateRequest {
  std::uint16_t workflow = 0;
  std::string tenant;
  std::string target;       // may be empty
  std::string actor;        // name of the credential
  std::string dedupe_key;   // empty: none
  std::string fingerprint;  // 16 bytes, with a dedupe key
  std::string payload;
  workflows::Event event;
};
struct Answer {
  absl::Status status;
  std::vector<workflows::FieldViolation> violations;
  InstanceId id;
  std::uint16_t state = 0;
  std::uint16_t outcome = 0;
  bool duplicate = false;  // of an earlier creation, whose answer this is
  std::string answer;      // the workflow's own bytes
};
using Done = absl::AnyInvocable<void(Answer)>;

struct EventRequest {
  InstanceId id;
  std::string tenant;  // must be the instance's; empty: an administrator's, any
  std::string actor;
  workflows::Event event;
  std::optional<std::string> payload;
};

// An event for every instance of an index value (or of the tenant), shard by shard, in chunks; survives a crash once it
// was accepted, and may be repeated. With `membership` the deciding row is written first, in the same unit.
struct SweepRequest {
  std::uint16_t workflow = 0;
  std::string tenant;
  std::string actor;
  std::uint16_t index = 0;  // 0: all of the tenant
  std::string value;
  std::optional<std::string> target;  // all of them share this target: only its shard is asked
  workflows::Event event;
  std::optional<workflows::MembershipChange> membership;  // REQUIRES target
  bool sweep = true;                                      // false: only change the membership
};
struct SweepAnswer {
  absl::Status status;
  std::vector<std::uint64_t> outcomes;  // counts by the workflow's outcome number
  bool changed = false;                 // the membership was different before
};
using SweepDone = absl::AnyInvocable<void(SweepAnswer)>;

// What a record of a log may ask for. A report comes from a peer that need not be attached; a dead letter cannot be
// taken, and its reason never holds a value of it.
//
// A record that is read again may be judged otherwise than before, for a configuration and a clock go on. So a dead
// letter names whom it is about, as far as the record says it: it is then known in the shard that would have taken it.
struct FedReport {
  std::shared_ptr<const PeerHello> from;
  AttemptId attempt;
  workflows::Event event;
};
struct DeadLetter {
  std::string reason;
  std::string tenant = {}, target = {}, dedupe_key = {};  // of what it would have created
  std::optional<InstanceId> id = {};                      // of the one that it would have changed
};
using FedWork = std::variant<CreateRequest, EventRequest, SweepRequest, FedReport, DeadLetter>;

enum class Taking : std::uint8_t {
  kApplied = 1,        // or noted; a "not now" of the workflow is in the answer
  kAppliedBefore = 2,  // it was read again
  kRefused = 3,        // for good: it leaves as a dead letter (Post::topic kDeadLetters)
  kStopped = 4,        // the engine stops: nobody knows; it will be read again
};
struct FedAnswer {
  Taking what = Taking::kApplied;
  Answer answer;
};
using FedDone = absl::AnyInvocable<void(FedAnswer)>;

struct PauseRequest {
  storage::PauseScope scope = storage::PauseScope::kAll;
  std::string tenant;  // of kTenant and kIndexValue
  std::uint16_t index = 0;
  std::string value;       // index value, or gateway
  std::string index_name;  // of the index, as people call it
  std::string reason;
  std::string actor;
  bool resume = false;
};

// Why a gated timer of an instance does not fire now.
struct WaitReasons {
  std::vector<std::string> pauses;  // readable scopes with their reasons
  std::uint32_t peers = 0;          // attached and serving its lane
  std::uint64_t credit = 0;         // of those
  std::uint64_t ready = 0;          // due and waiting in its lane and shard, at most 1,000 are counted
  bool clock_guard = false;
  bool disk_guard = false;
  bool draining = false;
  std::uint32_t budget_per_s = 0;
};

class Engine {
 public:
  // Recovers what the store holds: chain heads, marks, open leases, tells and sweeps on their way. Blocks for that.
  // DATA_LOSS and FAILED_PRECONDITION tell what is wrong in one line.
  static absl::StatusOr<std::unique_ptr<Engine>> Open(EngineOptions options, EngineParts parts);
  virtual ~Engine() = default;

  // Threads of partitions and of housekeeping. Not called by a simulation, which makes their rounds itself.
  virtual void Start() = 0;
  // Answers what was taken, refuses the rest, stops all threads. Blocks until then.
  virtual void Stop() = 0;
  // One round of every partition and of housekeeping on the calling thread; true when something was done.
  virtual bool RunOnce() = 0;
  // One of that partition alone, for who chooses how their threads overtake each other.
  virtual bool RunPartition(std::uint16_t partition) = 0;

  // All of these are thread-safe and do not block.
  virtual void Create(CreateRequest request, Done done) = 0;
  virtual void Send(EventRequest request, Done done) = 0;
  virtual void Sweep(SweepRequest request, SweepDone done) = 0;
  virtual void Pause(PauseRequest request, absl::AnyInvocable<void(absl::Status, bool changed)> done) = 0;
  virtual absl::StatusOr<std::unique_ptr<PeerSession>> Attach(PeerHello hello, std::shared_ptr<PeerLink> link) = 0;
  // A post is where it belongs, durably; its outbox row may go.
  virtual void Taken(ShardId shard, std::uint64_t sequence) = 0;

  // A record of a log outside, applied in one unit with its position (engine/feed.h). It is taken also where a command
  // would be refused, for nothing may be left out: whoever reads the log bounds what is not answered, and looks at
  // TakesCreations() before it reads on. `done` may be empty, but not for a sweep's.
  virtual void Feed(Origin origin, FedWork work, FedDone done) = 0;
  // All records below `next` (by shard) are answered; `digest` is of the last of them, zeros where it is not known.
  // Tells those shards that had none of them. A feed begins with it: `done` comes once every shard has a row. `again`:
  // the log is another one now, also those that were further begin anew.
  virtual void FeedProgress(FeedRef feed, std::vector<std::uint64_t> next, storage::Hash16 digest, bool again,
                            absl::AnyInvocable<void(absl::Status)> done) = 0;
  // Reads from the store; may block for the disk.
  virtual absl::StatusOr<FeedPosition> FeedAt(const FeedId& feed) const = 0;
  // False while commands that create are refused: it drains, or the disk is nearly full.
  virtual bool TakesCreations() const = 0;

  // From now on creations are refused and nothing leaves; reports are still taken.
  virtual void Drain(bool on) = 0;

  // Reads from the store; may block for the disk.
  virtual absl::StatusOr<WaitReasons> Explain(const InstanceId& id) = 0;
  // A person's word that the wall clock is right as it is now: ends the clock guard. Thread-safe, does not block.
  virtual void TrustClock() = 0;

  // The disk guard's word, from whoever watches the disk: while on, creations are refused.
  virtual void SetDiskGuard(bool on) = 0;

  // Last durable sequence of a shard. A watcher compares, then waits for a change of Commits().
  virtual std::uint64_t Committed(ShardId shard) const = 0;
  virtual std::uint64_t Commits() const = 0;
  // Blocks until Commits() is above `seen`, at most `timeout_ms`.
  virtual void AwaitCommit(std::uint64_t seen, std::int64_t timeout_ms) const = 0;

  virtual Figures TakeFigures() const = 0;
};

}  // namespace smsflow::engine
