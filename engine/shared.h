// What all partitions of an engine share. Every part of it is thread-safe or never changes while threads run.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "engine/budget.h"
#include "engine/clock_guard.h"
#include "engine/engine.h"
#include "engine/log_turn.h"
#include "engine/peers.h"
#include "smsflow/stored/v1/records.pb.h"

namespace smsflow::engine {

namespace stored = ::smsflow::stored::v1;

// Commands that concern many shards, until every one has answered. In memory only: what they do is durable, their
// answer is not, and a caller that lost it may ask again.
class Broadcasts {
 public:
  struct Sum {
    absl::Status status;
    std::vector<std::uint64_t> outcomes;
    bool changed = false;
  };
  using SumDone = absl::AnyInvocable<void(Sum)>;

  // As many as may be open at once. One that concerns all shards has rows in each of them. A tenant has a part of it,
  // so that who asks for much takes nothing from others; the operator, who has no tenant, has one for himself.
  static constexpr std::size_t kWideMax = 1'000;
  static constexpr std::size_t kWideOfTenantMax = 100;
  static constexpr std::size_t kNarrowMax = 10'000;
  static constexpr std::size_t kNarrowOfTenantMax = 1'000;

  // RESOURCE_EXHAUSTED: too many are open; `done` is left as it was.
  [[nodiscard]] absl::Status Expect(const std::string& command, const std::string& tenant, std::uint32_t shards,
                                    SumDone& done);
  // Of a log: who reads it gives one of each partition at a time, and a tenant that asks for much elsewhere must not
  // hold the others that write to it.
  void ExpectFed(const std::string& command, std::uint32_t shards, SumDone& done);
  void Finished(const std::string& command, const std::vector<std::uint64_t>& outcomes, bool changed);
  void Changed(const std::string& command);
  void Fail(const std::string& command, const absl::Status& why);
  void FailAll(const absl::Status& why);

 private:
  struct Waiting {
    std::uint32_t shards = 0;
    std::string tenant;
    bool wide = false;
    bool counted = true;
    Sum sum;
    SumDone done;
  };
  struct Open {
    std::size_t all = 0;  // of tenants
    std::map<std::string, std::size_t> by_tenant;
  };
  using ByCommand = std::map<std::string, Waiting>;
  Waiting Take(ByCommand::iterator it) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  ByCommand waiting_ ABSL_GUARDED_BY(mutex_);
  Open open_[2] ABSL_GUARDED_BY(mutex_);  // narrow, wide
};

// Commands from outside; bounded, refused when the queue is full.
struct CreateItem {
  CreateRequest request;
  ShardId shard;
  Done done;
};
struct EventItem {
  EventRequest request;
  Done done;
};
struct SweepItem {
  SweepRequest request;
  ShardId home;
  std::string command;
};
struct PauseItem {
  PauseRequest request;
  ShardId home;
  std::string command;
};
using Command = std::variant<CreateItem, EventItem, SweepItem, PauseItem>;

// What is never refused: its senders are slowed instead.
struct ReportItem {
  std::shared_ptr<const Attachment> from;
  AttemptId attempt;
  workflows::Event event;
  absl::AnyInvocable<void(ReportAnswer)> done;
};
struct TellItem {
  ShardId source;
  ShardId destination;
  std::uint64_t sequence = 0;
  stored::TellRow row;
};
struct TellsAppliedItem {
  ShardId source;
  ShardId destination;
  std::uint64_t sequence = 0;  // all up to here
};
struct AttachedItem {
  std::shared_ptr<const Attachment> attachment;
};
struct TakenItem {
  ShardId shard;
  std::uint64_t sequence = 0;
};
// Of logs outside. A sweep's answer comes with its broadcast.
struct FedSweep {
  SweepRequest request;
  std::string command;
};
struct FedItem {
  Origin origin;
  ShardId shard;
  std::variant<CreateRequest, EventRequest, FedSweep, FedReport, DeadLetter> work;
  FedDone done;
};
struct ProgressCount {
  std::atomic<std::size_t> left{0};  // partitions
  absl::AnyInvocable<void(absl::Status)> done;
};
struct ProgressItem {
  FeedRef feed;
  std::shared_ptr<const std::vector<std::uint64_t>> next;  // by shard
  storage::Hash16 digest{};
  bool again = false;
  std::shared_ptr<ProgressCount> count;
};
using Internal = std::variant<ReportItem, TellItem, TellsAppliedItem, AttachedItem, TakenItem, FedItem, ProgressItem>;

struct Shared {
  Shared(const EngineOptions& o, EngineParts p)
      : options(o),
        parts(std::move(p)),
        budget(o.fire_budget_per_s),
        clock_guard(o.clock_jump_ms),
        epochs(o.shards),
        committed(o.shards) {}

  const EngineOptions options;
  EngineParts parts;
  Peers peers;
  FireBudget budget;
  ClockGuard clock_guard;
  Broadcasts broadcasts;
  LogTurn log_turn;
  std::atomic<bool> draining{false};
  std::atomic<bool> disk_guard{false};
  std::vector<std::uint64_t> epochs;                  // by shard: written by recovery, never again
  std::vector<std::atomic<std::uint64_t>> committed;  // by shard: last durable sequence
  mutable absl::Mutex commits_mutex;
  std::uint64_t commits ABSL_GUARDED_BY(commits_mutex) = 0;
  // Puts an item on the queue of the partition that owns the shard.
  absl::AnyInvocable<void(ShardId, Internal)> post;

  const workflows::Workflow* workflow(std::uint16_t number) const {
    for (const workflows::Workflow* candidate : parts.workflows)
      if (candidate->number() == number) return candidate;
    return nullptr;
  }
};

}  // namespace smsflow::engine
