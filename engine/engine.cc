#include "engine/engine.h"

#include <algorithm>
#include <cassert>
#include <thread>
#include <utility>

#include "engine/explain.h"
#include "engine/partition.h"
#include "engine/shared.h"

namespace smsflow::engine {
namespace {

constexpr std::int64_t kHighWaterEveryMs = 100;

void AddUp(Histogram& sum, const Histogram& part) {
  if (sum.bounds.empty()) {
    sum = part;
    return;
  }
  for (std::size_t i = 0; i < sum.counts.size(); ++i) sum.counts[i] += part.counts[i];
  sum.sum += part.sum;
}

class EngineImpl : public Engine {
 public:
  EngineImpl(const EngineOptions& options, EngineParts parts) : shared_(options, std::move(parts)) {
    const std::size_t count = std::clamp<std::size_t>(options.partitions, 1, options.shards);
    std::vector<std::vector<ShardId>> owned(count);
    for (std::uint16_t s = 0; s < options.shards; ++s) owned[s % count].push_back(ShardId{s});
    for (auto& shards : owned) {
      const auto number = static_cast<std::uint16_t>(partitions_.size());
      partitions_.push_back(std::make_unique<Partition>(shared_, number, std::move(shards)));
    }
    shared_.post = [this](ShardId shard, Internal item) { Of(shard).Post(std::move(item)); };
    shared_.peers.OnChange([this] {
      for (const auto& partition : partitions_) partition->Wake();
    });
  }
  ~EngineImpl() override { Stop(); }

  absl::Status Recover() {
    const std::int64_t now_ms = shared_.parts.clock->WallMs();
    for (const auto& partition : partitions_)
      if (absl::Status status = partition->Recover(now_ms); !status.ok()) return status;
    for (const auto& partition : partitions_) partition->SendRecovered();
    return absl::OkStatus();
  }

  void Start() override {
    for (const auto& partition : partitions_) partition->Start();
    housekeeping_ = std::thread([this] { KeepHouse(); });
  }

  void Stop() override {
    {
      absl::MutexLock lock(&stop_mutex_);
      if (stopped_) return;
      stopped_ = true;
    }
    const absl::Status why = absl::UnavailableError("the engine is stopping");
    shared_.peers.CloseAll(why);
    for (const auto& partition : partitions_) partition->Stop();
    if (housekeeping_.joinable()) housekeeping_.join();
    shared_.broadcasts.FailAll(why);
    {
      absl::MutexLock lock(&shared_.commits_mutex);
      ++shared_.commits;  // whoever waits for one looks again
    }
    SaveHighWater();
  }

  bool RunOnce() override {
    bool busy = false;
    for (const auto& partition : partitions_) busy |= partition->RunOnce();
    SaveHighWater();
    return busy;
  }
  bool RunPartition(std::uint16_t partition) override { return partitions_.at(partition)->RunOnce(); }

  void Create(CreateRequest request, Done done) override {
    if (shared_.workflow(request.workflow) == nullptr)
      return Refuse(done, absl::InvalidArgumentError("workflow: unknown"));
    if (shared_.draining) {
      ++refused_draining_;
      return Refuse(done, absl::UnavailableError("the server is draining; ask another one or later"));
    }
    if (shared_.disk_guard) {
      ++refused_disk_;
      return Refuse(done, absl::ResourceExhaustedError("the server's disk is nearly full; nothing was stored"));
    }
    const ShardId shard = shared_.parts.index_keys->Shard(shared_.options.shards, request.tenant, request.target,
                                                          request.dedupe_key, shared_.parts.random->Next64());
    Offer(shard, CreateItem{std::move(request), shard, std::move(done)});
  }

  void Send(EventRequest request, Done done) override {
    const ShardId shard = request.id.shard();
    if (shard.value >= shared_.options.shards) return Refuse(done, absl::NotFoundError("id: unknown"));
    Offer(shard, EventItem{std::move(request), std::move(done)});
  }

  void Sweep(SweepRequest request, SweepDone done) override {
    const std::string command = NewCommand();
    const bool one_shard = request.target.has_value();
    const ShardId home =
        shared_.parts.index_keys->Shard(shared_.options.shards, request.tenant, request.target.value_or(""), "", 0);
    Broadcasts::SumDone answer = [done = std::move(done)](Broadcasts::Sum sum) mutable {
      done({std::move(sum.status), std::move(sum.outcomes), sum.changed});
    };
    if (absl::Status status =
            shared_.broadcasts.Expect(command, request.tenant, one_shard ? 1 : shared_.options.shards, answer);
        !status.ok())
      return RefuseSum(answer, std::move(status));
    OfferBroadcast(home, command, SweepItem{std::move(request), home, command});
  }

  void Pause(PauseRequest request, absl::AnyInvocable<void(absl::Status, bool)> done) override {
    const std::string command = NewCommand();
    Broadcasts::SumDone answer = [done = std::move(done)](Broadcasts::Sum sum) mutable {
      done(std::move(sum.status), sum.changed);
    };
    if (absl::Status status = shared_.broadcasts.Expect(command, "", shared_.options.shards, answer); !status.ok())
      return RefuseSum(answer, std::move(status));
    OfferBroadcast(ShardId{0}, command, PauseItem{std::move(request), ShardId{0}, command});
  }

  absl::StatusOr<std::unique_ptr<PeerSession>> Attach(PeerHello hello, std::shared_ptr<PeerLink> link) override;

  void Taken(ShardId shard, std::uint64_t sequence) override { Of(shard).Post(TakenItem{shard, sequence}); }
  ShardId ShardOf(const Origin& origin, const FedWork& work) const;
  void Feed(Origin origin, FedWork work, FedDone done) override;
  void FeedProgress(FeedRef feed, std::vector<std::uint64_t> next, storage::Hash16 digest, bool again,
                    absl::AnyInvocable<void(absl::Status)> done) override {
    assert(next.size() == shared_.options.shards);
    auto count = std::make_shared<ProgressCount>();
    count->left = partitions_.size();
    count->done = std::move(done);
    const auto by_shard = std::make_shared<const std::vector<std::uint64_t>>(std::move(next));
    for (const auto& partition : partitions_) partition->Post(ProgressItem{feed, by_shard, digest, again, count});
  }
  absl::StatusOr<FeedPosition> FeedAt(const FeedId& feed) const override {
    return ReadFeed(*shared_.parts.store, shared_.options.shards, feed);
  }
  bool TakesCreations() const override { return !shared_.draining && !shared_.disk_guard; }
  void Drain(bool on) override {
    shared_.draining = on;
    shared_.peers.Nudge();
  }
  void TrustClock() override {
    shared_.clock_guard.Trust();
    shared_.peers.Nudge();
  }
  void SetDiskGuard(bool on) override { shared_.disk_guard = on; }

  absl::StatusOr<WaitReasons> Explain(const InstanceId& id) override { return engine::Explain(shared_, id); }

  std::uint64_t Committed(ShardId shard) const override {
    return shared_.committed[shard.value].load(std::memory_order_acquire);
  }
  std::uint64_t Commits() const override {
    absl::MutexLock lock(&shared_.commits_mutex);
    return shared_.commits;
  }
  void AwaitCommit(std::uint64_t seen, std::int64_t timeout_ms) const override {
    absl::MutexLock lock(&shared_.commits_mutex);
    const auto newer = [this, seen]()
                           ABSL_EXCLUSIVE_LOCKS_REQUIRED(shared_.commits_mutex) { return shared_.commits > seen; };
    shared_.commits_mutex.AwaitWithTimeout(absl::Condition(&newer), absl::Milliseconds(timeout_ms));
  }

  Figures TakeFigures() const override;

 private:
  friend class Session;

  Partition& Of(ShardId shard) { return *partitions_[shard.value % partitions_.size()]; }

  static void Refuse(Done& done, absl::Status why) {
    Answer answer;
    answer.status = std::move(why);
    done(std::move(answer));
  }

  template <class Item>
  void Offer(ShardId shard, Item item) {
    Command command(std::move(item));
    const auto offered = Of(shard).Offer(command);
    if (offered != Partition::Offered::kTaken) Refuse(std::get<Item>(command).done, WhyNot(offered));
  }
  void OfferBroadcast(ShardId home, const std::string& id, Command command) {
    const auto offered = Of(home).Offer(command);
    if (offered != Partition::Offered::kTaken) shared_.broadcasts.Fail(id, WhyNot(offered));
  }
  absl::Status WhyNot(Partition::Offered offered) {
    if (offered == Partition::Offered::kStopping) return absl::UnavailableError("the engine is stopping");
    ++refused_queue_full_;
    return Full();
  }
  void RefuseSum(Broadcasts::SumDone& answer, absl::Status why) {
    ++refused_queue_full_;
    Broadcasts::Sum sum;
    sum.status = std::move(why);
    answer(std::move(sum));
  }
  static absl::Status Full() {
    return absl::ResourceExhaustedError("the server has more to do than it can; nothing was stored, try again soon");
  }

  std::string NewCommand() {
    std::string command(16, '\0');
    for (std::size_t half = 0; half < 2; ++half) {
      const std::uint64_t random = shared_.parts.random->Next64();
      for (std::size_t i = 0; i < 8; ++i) command[half * 8 + i] = static_cast<char>(random >> (8 * i));
    }
    return command;
  }

  void SaveHighWater() {
    if (shared_.parts.high_water == nullptr) return;
    if (const absl::Status status = shared_.parts.high_water->Save(); !status.ok()) shared_.parts.fatal(status);
  }

  void KeepHouse() {
    const auto stopped = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(stop_mutex_) { return stopped_; };
    while (true) {
      {
        absl::MutexLock lock(&stop_mutex_);
        if (stop_mutex_.AwaitWithTimeout(absl::Condition(&stopped), absl::Milliseconds(kHighWaterEveryMs))) return;
      }
      SaveHighWater();
    }
  }

  Shared shared_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  std::thread housekeeping_;
  absl::Mutex stop_mutex_;
  bool stopped_ ABSL_GUARDED_BY(stop_mutex_) = false;
  std::atomic<std::uint64_t> refused_queue_full_{0};
  std::atomic<std::uint64_t> refused_disk_{0};
  std::atomic<std::uint64_t> refused_draining_{0};
};

// Which shard takes a record must be the same whenever it is read, whatever is thought of it then: a dead letter's is
// that of the work that it would have been.
ShardId EngineImpl::ShardOf(const Origin& origin, const FedWork& work) const {
  const std::uint16_t shards = shared_.options.shards;
  const storage::IndexKeys& keys = *shared_.parts.index_keys;
  const std::string place =
      origin.feed->log + '\n' + std::to_string(origin.feed->partition) + '\n' + std::to_string(origin.position);
  const ShardId by_place = keys.Shard(shards, "", "", place, 0);
  const auto of_names = [&](const std::string& tenant, const std::string& target, const std::string& dedupe_key) {
    return target.empty() && dedupe_key.empty() ? by_place : keys.Shard(shards, tenant, target, dedupe_key, 0);
  };
  const auto of_id = [&](const InstanceId& id) { return id.shard().value < shards ? id.shard() : by_place; };
  if (const auto* create = std::get_if<CreateRequest>(&work))
    return of_names(create->tenant, create->target, create->dedupe_key);
  if (const auto* event = std::get_if<EventRequest>(&work)) return of_id(event->id);
  if (const auto* report = std::get_if<FedReport>(&work)) return of_id(report->attempt.instance);
  if (const auto* sweep = std::get_if<SweepRequest>(&work))
    return sweep->target ? of_names(sweep->tenant, *sweep->target, "") : by_place;
  const auto& dead = std::get<DeadLetter>(work);
  return dead.id ? of_id(*dead.id) : of_names(dead.tenant, dead.target, dead.dedupe_key);
}

void EngineImpl::Feed(Origin origin, FedWork work, FedDone done) {
  const std::uint16_t shards = shared_.options.shards;
  FedItem item{std::move(origin), {}, {}, std::move(done)};
  item.shard = ShardOf(item.origin, work);
  const auto* changes = std::get_if<EventRequest>(&work);
  const auto* reported = std::get_if<FedReport>(&work);
  if ((changes != nullptr && changes->id.shard().value >= shards) ||
      (reported != nullptr && reported->attempt.instance.shard().value >= shards))
    work = DeadLetter{"id: unknown"};
  if (auto* create = std::get_if<CreateRequest>(&work)) {
    if (shared_.workflow(create->workflow) == nullptr)
      item.work = DeadLetter{"workflow: unknown"};
    else
      item.work = std::move(*create);
  } else if (auto* event = std::get_if<EventRequest>(&work)) {
    item.work = std::move(*event);
  } else if (auto* report = std::get_if<FedReport>(&work)) {
    item.work = std::move(*report);
  } else if (auto* dead = std::get_if<DeadLetter>(&work)) {
    item.work = std::move(*dead);
  } else if (auto* sweep = std::get_if<SweepRequest>(&work)) {
    const bool one_shard = sweep->target.has_value();
    const std::string command = NewCommand();
    Broadcasts::SumDone answer = [fed = std::move(item.done)](Broadcasts::Sum sum) mutable {
      Taking what = sum.status.ok() ? Taking::kApplied : Taking::kStopped;
      if (absl::IsAlreadyExists(sum.status)) what = Taking::kAppliedBefore;
      if (fed) fed({what, {}});
    };
    shared_.broadcasts.ExpectFed(command, one_shard ? 1 : shards, answer);
    item.done = nullptr;
    item.work = FedSweep{std::move(*sweep), command};
  }
  Partition& home = Of(item.shard);
  home.Post(std::move(item));
}

class Session : public PeerSession {
 public:
  Session(EngineImpl& engine, std::shared_ptr<const Attachment> attachment)
      : engine_(engine), attachment_(std::move(attachment)) {}
  ~Session() override { engine_.shared_.peers.Detach(*attachment_); }

  void AddCredit(std::uint32_t more) override { engine_.shared_.peers.AddCredit(*attachment_, more); }
  void Report(const AttemptId& attempt, workflows::Event event, absl::AnyInvocable<void(ReportAnswer)> done) override {
    const ShardId shard = attempt.instance.shard();
    if (shard.value >= engine_.shared_.options.shards) return done({attempt, ReportOutcome::kNotYours});
    engine_.Of(shard).Post(ReportItem{attachment_, attempt, std::move(event), std::move(done)});
  }
  bool Congested() const override {
    return std::any_of(engine_.partitions_.begin(), engine_.partitions_.end(),
                       [](const auto& partition) { return partition->Congested(); });
  }

 private:
  EngineImpl& engine_;
  std::shared_ptr<const Attachment> attachment_;
};

absl::StatusOr<std::unique_ptr<PeerSession>> EngineImpl::Attach(PeerHello hello, std::shared_ptr<PeerLink> link) {
  for (const Mark& mark : hello.marks) {
    if (mark.shard.value >= shared_.options.shards) continue;
    const std::uint64_t epoch = shared_.epochs[mark.shard.value];
    const std::uint64_t sequence = Committed(mark.shard);
    if (std::pair(mark.epoch, mark.sequence) <= std::pair(epoch, sequence)) continue;
    shared_.parts.fatal(absl::DataLossError(
        "gateway " + hello.peer.gateway + " has seen sequence " + std::to_string(mark.sequence) + " of epoch " +
        std::to_string(mark.epoch) + " of shard " + std::to_string(mark.shard.value) + ", here are only " +
        std::to_string(sequence) + " of epoch " + std::to_string(epoch) +
        ": acknowledged data is missing. If this folder is an older copy, put the newer one back: what left since then "
        "would leave again. If there is no newer one, smsflow db repair makes a copy that can go on, and "
        "docs/operations.md says how"));
  }
  auto attachment = shared_.peers.Attach(std::move(hello), std::move(link));
  if (!attachment.ok()) return attachment.status();
  auto session = std::make_unique<Session>(*this, *attachment);
  for (const auto& partition : partitions_) partition->Post(AttachedItem{*attachment});
  return session;
}

Figures EngineImpl::TakeFigures() const {
  Figures sum;
  for (const auto& partition : partitions_) {
    const Figures part = partition->TakeFigures();
    for (const auto member : {&Figures::created,
                              &Figures::duplicates,
                              &Figures::transitions,
                              &Figures::leases,
                              &Figures::leases_again,
                              &Figures::probes,
                              &Figures::reports,
                              &Figures::reports_not_yours,
                              &Figures::fed,
                              &Figures::fed_again,
                              &Figures::dead_letters,
                              &Figures::timers_fired,
                              &Figures::timers_garbage,
                              &Figures::tells,
                              &Figures::erased,
                              &Figures::batches,
                              &Figures::operations,
                              &Figures::batch_bytes,
                              &Figures::cache_hits,
                              &Figures::cache_misses,
                              &Figures::queue_depth,
                              &Figures::open_leases})
      sum.*member += part.*member;
    sum.oldest_open_lease_ms = std::max(sum.oldest_open_lease_ms, part.oldest_open_lease_ms);
    sum.oldest_overdue_ms = std::max(sum.oldest_overdue_ms, part.oldest_overdue_ms);
    AddUp(sum.batch_size, part.batch_size);
    AddUp(sum.write_ms, part.write_ms);
    AddUp(sum.lateness_ms, part.lateness_ms);
    for (const auto& [key, count] : part.results) sum.results[key] += count;
    for (const auto& [key, count] : part.causes) sum.causes[key] += count;
  }
  sum.refused_queue_full = refused_queue_full_;
  sum.refused_disk = refused_disk_;
  sum.refused_draining = refused_draining_;
  const Peers::Lane total = shared_.peers.Total();
  sum.peers = total.peers;
  sum.credit = total.credit;
  sum.clock_guard = shared_.clock_guard.on();
  sum.disk_guard = shared_.disk_guard;
  sum.draining = shared_.draining;
  return sum;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Open(EngineOptions options, EngineParts parts) {
  auto engine = std::make_unique<EngineImpl>(options, std::move(parts));
  if (absl::Status status = engine->Recover(); !status.ok()) return status;
  return engine;
}

}  // namespace smsflow::engine
