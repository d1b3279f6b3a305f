#include "tests/crash/recorded_run.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "engine/engine.h"
#include "storage/epoch.h"
#include "tests/crash/crash_file_system.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::crash {
namespace {

namespace delivery = workflows::delivery;
namespace fs = std::filesystem;

class RunClock final : public engine::Clock {
 public:
  std::int64_t WallMs() const override { return 1'700'000'000'000 + passed_ms; }
  std::int64_t SteadyMs() const override { return 1'000'000 + passed_ms; }
  std::int64_t passed_ms = 0;
};

class RunRandom final : public engine::Random {
 public:
  explicit RunRandom(std::uint64_t seed) : generator_(seed) {}
  std::uint64_t Next64() override { return generator_(); }

 private:
  std::mt19937_64 generator_;
};

// The engine alone saves at every round; in a process it is a thread that comes now and then.
class LateMarks final : public storage::HighWater {
 public:
  explicit LateMarks(storage::HighWater& real) : real_(real) {}
  void Note(ShardId shard, storage::HighWaterMark mark) override { real_.Note(shard, mark); }
  storage::HighWaterMark Noted(ShardId shard) const override { return real_.Noted(shard); }
  storage::HighWaterMark AtOpen(ShardId shard) const override { return real_.AtOpen(shard); }
  absl::Status Save() override { return absl::OkStatus(); }

 private:
  storage::HighWater& real_;
};

class Inbox final : public engine::PeerLink {
 public:
  Inbox(std::deque<engine::Lease>& leases, std::map<std::uint16_t, engine::Mark>& marks, std::function<void()> told)
      : leases_(leases), marks_(marks), told_(std::move(told)) {}
  void Send(std::vector<engine::Lease> leases) override {
    told_();
    for (auto& lease : leases) {
      engine::Mark& seen = marks_[lease.mark.shard.value];
      if (std::pair(seen.epoch, seen.sequence) < std::pair(lease.mark.epoch, lease.mark.sequence)) seen = lease.mark;
      leases_.push_back(std::move(lease));
    }
  }
  void Send(std::vector<engine::Probe>) override {}
  void Close(const absl::Status&) override {}

 private:
  std::deque<engine::Lease>& leases_;
  std::map<std::uint16_t, engine::Mark>& marks_;
  const std::function<void()> told_;
};

// The bug that this run must be able to show: what was written is answered first, and synced right afterwards.
class LateSync final : public storage::Store {
 public:
  explicit LateSync(storage::Store& real) : real_(real) {}
  absl::StatusOr<std::optional<std::string>> Get(storage::Family family, std::string_view key) const override {
    return real_.Get(family, key);
  }
  std::unique_ptr<storage::Cursor> Scan(storage::Family family, std::string_view from, std::string_view till,
                                        bool reverse) const override {
    return real_.Scan(family, from, till, reverse);
  }
  absl::Status Write(const storage::Batch& batch, storage::Sync) override {
    unsynced_ = true;
    return real_.Write(batch, storage::Sync::kNo);
  }
  // The log is synced as a whole: by any row.
  absl::Status SyncNow() {
    if (!std::exchange(unsynced_, false)) return absl::OkStatus();
    storage::Batch nothing;
    nothing.Delete(storage::Family::kIndexes, "no such row");
    return real_.Write(nothing, storage::Sync::kYes);
  }

 private:
  storage::Store& real_;
  bool unsynced_ = false;
};

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// An engine on a folder, and its one gateway.
class EngineOnDisk {
 public:
  virtual ~EngineOnDisk() = default;

 protected:
  explicit EngineOnDisk(std::uint64_t seed) : random_(seed), engine_random_(seed) {}

  bool Open(storage::DataFolder& folder, storage::Store& store, storage::HighWater& marks) {
    engine::EngineOptions options;
    options.shards = kRecordedShards;
    options.partitions = 1;
    engine::EngineParts parts;
    parts.store = &store;
    parts.index_keys = &folder.index_keys();
    parts.high_water = &marks;
    parts.clock = &clock_;
    parts.random = &engine_random_;
    parts.policies = [this](std::string_view, std::uint16_t) -> const engine::Policy& { return policy_; };
    parts.fatal = [this](const absl::Status& status) { strange_ = status.ToString(); };
    parts.workflows = {workflow_.get()};
    auto engine = engine::Engine::Open(options, std::move(parts));
    if (!engine.ok()) {
      strange_ = engine.status().ToString();
      return false;
    }
    engine_ = *std::move(engine);
    auto session = engine_->Attach({{"g1", "store-uuid-000001"}, {"t"}, {}, SeenMarks()},
                                   std::make_shared<Inbox>(leases_, marks_, [this] { Told(); }));
    if (!session.ok()) {
      strange_ = session.status().ToString();
      return false;
    }
    session_ = *std::move(session);
    session_->AddCredit(1'000'000);
    return true;
  }
  std::vector<engine::Mark> SeenMarks() const {
    std::vector<engine::Mark> seen;
    for (const auto& [shard, mark] : marks_) seen.push_back(mark);
    return seen;
  }
  template <class After>
  void Rest(const After& after_round) {
    for (int quiet = 0; quiet < 2; after_round()) quiet = engine_->RunOnce() ? 0 : quiet + 1;
  }
  // Somebody is given an answer, or something to do.
  virtual void Told() {}
  int Pick(int below) { return static_cast<int>(random_() % static_cast<std::uint64_t>(below)); }
  engine::CreateRequest Order(const std::string& key) {
    delivery::Schedule schedule;
    const std::int64_t now_s = clock_.WallMs() / 1000;
    schedule.fixed.slots = {{now_s - 5 + Pick(30), now_s + 60 + Pick(600)}};
    schedule.fixed.batch = "batch" + std::to_string(Pick(3));
    engine::CreateRequest request;
    request.workflow = delivery::kWorkflowNumber;
    request.tenant = "t";
    request.target = "target" + std::to_string(Pick(20));
    request.actor = "client";
    request.dedupe_key = key;
    request.fingerprint = std::string(16, 'f');
    request.payload.assign(static_cast<std::size_t>(50 + Pick(400)), '\0');
    std::generate(request.payload.begin(), request.payload.end(), [this] { return static_cast<char>(random_()); });
    request.event = delivery::EncodeSchedule(schedule);
    return request;
  }

  std::mt19937_64 random_;
  RunRandom engine_random_;
  RunClock clock_;
  const engine::Policy policy_;
  const std::unique_ptr<workflows::Workflow> workflow_ = delivery::MakeDeliveryWorkflow();
  std::deque<engine::Lease> leases_;
  std::map<std::uint16_t, engine::Mark> marks_;  // that the gateway has seen
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::PeerSession> session_;
  std::string strange_;
};

class OneRun : private EngineOnDisk {
 public:
  OneRun(const std::string& folder, std::uint64_t seed, bool late_sync) : EngineOnDisk(seed), late_sync_(late_sync) {
    run_.path = folder + "/data";
    run_.disk = std::make_shared<Recording>();
  }

  RecordedRun Go(std::size_t commands) {
    storage::DataFolderOptions options = OptionsOf(run_.path);
    options.shards = kRecordedShards;
    options.ballast_bytes = 64 << 10;
    options.file_system = Record(MakeCrashFileSystem(), run_.disk);
    auto folder = storage::DataFolder::Open(options);
    if (!folder.ok()) return Strange("the folder was not made: " + folder.status().ToString());
    folder_ = folder->get();
    LateMarks marks((*folder)->high_water());
    if (late_sync_) late_store_.emplace(folder_->store());
    storage::Store& store = late_store_ ? static_cast<storage::Store&>(*late_store_) : folder_->store();
    if (!Open(*folder_, store, marks)) return Strange(strange_);
    Mark();
    if (!BeginFeed()) return Strange("the feed did not begin");
    while (run_.commands < commands && run_.strange.empty()) {
      Step();
      if (Pick(300) == 0) CompareDisk();
    }
    Finish();
    session_.reset();
    engine_.reset();
    return std::move(run_);
  }

 private:
  RecordedRun Strange(const std::string& what) {
    run_.strange = what;
    return std::move(run_);
  }

  // One thing happens, or a few that share a commit, and what was answered is noted.
  void Step() {
    for (int more = Pick(4) == 0 ? Pick(4) : 0; more >= 0; --more) {
      const int dice = Pick(100);
      ++run_.commands;
      if (dice < 45) {
        Schedule();
      } else if (dice < 80 && !leases_.empty()) {
        Report();
      } else if (dice < 88 && !ids_.empty()) {
        engine_->Send({AnyId(), "t", "client", delivery::EncodeCancel(), std::nullopt},
                      [this](const engine::Answer& answer) { Acknowledged(answer.status.ok()); });
      } else if (dice < 91) {
        Block();
      } else if (dice < 93) {
        Pause();
      } else if (dice < 95) {
        Feed();
      } else {
        clock_.passed_ms += Pick(20'000);
      }
    }
    clock_.passed_ms += 10;
    Rest([this] { AfterRound(); });
    if (!strange_.empty()) run_.strange = strange_;
    const bool all_marked = Pick(8) == 0;
    if (all_marked) Mark();
    run_.moments.push_back(Now(run_.disk->size()));
    run_.moments.back().all_marked = all_marked;
  }

  void Schedule() {
    engine_->Create(Order("k" + std::to_string(run_.commands)), [this](const engine::Answer& answer) {
      if (answer.status.ok()) ids_.push_back(answer.id);
      Acknowledged(answer.status.ok());
    });
  }

  void Report() {
    const AttemptId attempt = leases_.front().attempt;
    leases_.pop_front();
    delivery::Report report;
    report.attempt = attempt.number;
    const int dice = Pick(10);
    report.reported = dice < 6   ? delivery::Reported::kDelivered
                      : dice < 8 ? delivery::Reported::kSent
                                 : delivery::Reported::kFailedTransient;
    session_->Report(attempt, delivery::EncodeReport(report), [this](engine::ReportAnswer answer) {
      if (answer.outcome != engine::ReportOutcome::kApplied) return;
      Told();
      ++run_.reports;
    });
  }

  void Block() {
    engine::SweepRequest request;
    request.workflow = delivery::kWorkflowNumber;
    request.tenant = "t";
    request.actor = "client";
    request.target = request.value = "target" + std::to_string(Pick(20));
    request.index = delivery::kTargetIndex;
    request.event = delivery::EncodeBlock();
    request.membership = workflows::MembershipChange{delivery::kBlockedSet, Pick(2) == 0};
    request.sweep = request.membership->member;
    engine_->Sweep(std::move(request), [this](const engine::SweepAnswer& answer) { Acknowledged(answer.status.ok()); });
  }

  // One of three batches, and now and then it goes on.
  void Pause() {
    engine::PauseRequest request;
    request.scope = storage::PauseScope::kIndexValue;
    request.tenant = "t";
    request.index = delivery::kBatchIndex;
    request.index_name = "batch";
    request.value = "batch" + std::to_string(Pick(3));
    request.reason = "reason " + std::to_string(run_.commands);
    request.actor = "operator";
    request.resume = Pick(3) != 0;
    engine_->Pause(std::move(request), [this](const absl::Status& status, bool) { Acknowledged(status.ok()); });
  }

  // The next record of a log outside; at times the last ones again.
  void Feed() {
    if (Pick(4) != 0 || fed_.empty()) fed_.push_back(Order("fed" + std::to_string(fed_.size())));
    const std::size_t at =
        fed_.size() - 1 - static_cast<std::size_t>(Pick(4) == 0 ? Pick(static_cast<int>(fed_.size())) : 0);
    storage::Hash16 digest{};
    digest[0] = static_cast<std::uint8_t>(at + 1);
    engine_->Feed({feed_, at, digest, fed_[at].payload.size()}, engine::CreateRequest(fed_[at]),
                  [this](const engine::FedAnswer& answer) { Acknowledged(answer.what != engine::Taking::kStopped); });
  }
  bool BeginFeed() {
    bool begun = false;
    engine_->FeedProgress(feed_, std::vector<std::uint64_t>(kRecordedShards), {}, /*again=*/false,
                          [&](const absl::Status& status) {
                            Told();
                            begun = status.ok();
                          });
    Rest([this] { AfterRound(); });
    return begun;
  }

  // Before its first answer all that the round decided must be on disk: so that is the moment from which it is needed.
  // What came to the disk in the rest of the round would hide an answer that was given too early.
  void Told() override {
    if (!told_at_) told_at_ = run_.disk->size();
  }
  void Acknowledged(bool it_was) {
    if (!it_was) return;
    Told();
    ++run_.acknowledged;
  }
  void AfterRound() {
    if (late_store_)
      if (const auto status = late_store_->SyncNow(); !status.ok()) run_.strange = status.ToString();
    const std::size_t operations = told_at_.value_or(run_.disk->size());
    NoteOwnRows(operations);
    if (std::exchange(told_at_, std::nullopt)) run_.moments.push_back(Now(operations));
  }
  void NoteOwnRows(std::size_t operations) {
    for (std::uint16_t i = 0; i < kRecordedShards; ++i)
      if (!run_.own_rows.Note(folder_->store(), ShardId{i}, engine_->Committed(ShardId{i}), operations))
        run_.strange = "the rows of the run itself cannot be read";
  }

  const InstanceId& AnyId() { return ids_[static_cast<std::size_t>(Pick(static_cast<int>(ids_.size())))]; }

  // What was acknowledged, and handed over, by then.
  Moment Now(std::size_t operations) const {
    Moment moment;
    moment.operations = operations;
    moment.passed_ms = clock_.passed_ms;
    for (std::uint16_t i = 0; i < kRecordedShards; ++i) moment.acknowledged.push_back(engine_->Committed(ShardId{i}));
    moment.marks = SeenMarks();
    return moment;
  }
  void Mark() {
    if (const auto status = folder_->high_water().Save(); !status.ok()) run_.strange = status.ToString();
  }

  // Two views of one disk, made apart: the folder under the crash file system, and the model of the recording.
  void CompareDisk() {
    run_.disk->Hold([this](const std::vector<DiskOperation>& operations) {
      DiskModel model;
      for (const DiskOperation& operation : operations) model.Apply(operation);
      std::mt19937_64 none;
      const Image image = model.After(Loss::kUnsynced, none);
      std::size_t found = 0;
      for (const auto& file : fs::recursive_directory_iterator(run_.path)) {
        const std::string name = file.path().filename().string();
        if (!file.is_regular_file() || name.starts_with("LO")) continue;
        ++found;
        const auto expected = image.find(file.path().string());
        if (expected == image.end() || expected->second != ReadAll(file.path()))
          run_.strange = "the disk differs from its model: " + name;
      }
      if (found != image.size()) run_.strange = "the disk lacks files that its model has";
    });
  }

  void Finish() {
    for (const char kind : {'m', 'p', 'f', 'l', 'L', 'w'})
      if (run_.commands >= 1'000 && !run_.own_rows.changes().contains(kind))
        run_.strange = std::string("no row of kind ") + kind + " was ever written";
    run_.commits = engine_->Commits();
    for (std::uint16_t i = 0; i < kRecordedShards; ++i) {
      std::vector<storage::Digest> chain(1);
      for (std::uint64_t sequence = 1; sequence <= engine_->Committed(ShardId{i}); ++sequence) {
        const auto record = storage::GetJournal(folder_->store(), ShardId{i}, sequence);
        if (!record.ok() || !*record) {
          run_.strange = "the journal of the run itself has a gap";
          return;
        }
        chain.push_back((*record)->header.chain);
      }
      run_.chain.push_back(std::move(chain));
    }
  }

  RecordedRun run_;
  const bool late_sync_;
  std::optional<LateSync> late_store_;
  std::optional<std::size_t> told_at_;  // so many operations of the disk had been at the first answer of this round
  storage::DataFolder* folder_ = nullptr;
  std::vector<InstanceId> ids_;
  const engine::FeedRef feed_ = std::make_shared<const engine::FeedId>(engine::FeedId{"orders", 0});
  std::vector<engine::CreateRequest> fed_;
};

class Revived : private EngineOnDisk {
 public:
  Revived(const Moment& moment, std::int64_t passed_ms) : EngineOnDisk(static_cast<std::uint64_t>(passed_ms)) {
    clock_.passed_ms = passed_ms;
    for (const engine::Mark& mark : moment.marks) marks_[mark.shard.value] = mark;
  }
  std::string Go(storage::DataFolder& folder) {
    const auto epoch = storage::EpochOf(folder.store());
    if (!epoch.ok()) return epoch.status().ToString();
    if (!Open(folder, folder.store(), folder.high_water())) return "the engine does not start: " + strange_;
    Rest([] {});
    if (*epoch != 1 && std::any_of(leases_.begin(), leases_.end(), [](const auto& lease) { return !lease.again; }))
      return "in a new epoch something left before anybody said so";
    engine::PauseRequest resume;
    resume.resume = true;
    engine_->Pause(std::move(resume), [](const absl::Status&, bool) {});
    bool taken = false;
    engine_->Create(Order("afterwards"), [&](const engine::Answer& answer) { taken = answer.status.ok(); });
    Rest([] {});
    // What is handed over anew or again is delivered.
    for (int rounds = 0; rounds < 1'000 && !leases_.empty(); ++rounds) {
      for (const engine::Lease& lease : std::exchange(leases_, {})) {
        delivery::Report report;
        report.attempt = lease.attempt.number;
        report.reported = delivery::Reported::kDelivered;
        session_->Report(lease.attempt, delivery::EncodeReport(report), [](const engine::ReportAnswer&) {});
      }
      clock_.passed_ms += 100;
      Rest([] {});
    }
    session_.reset();
    engine_.reset();
    if (!strange_.empty()) return "the engine ended itself: " + strange_;
    return taken ? "" : "the engine takes no new work";
  }
};

}  // namespace

storage::DataFolderOptions OptionsOf(const std::string& path) {
  storage::DataFolderOptions options;
  options.path = path;
  options.ballast_bytes = 0;
  options.memtable_bytes = 64 << 10;
  options.block_cache_bytes = 1 << 20;
  return options;
}

RecordedRun RecordRun(const std::string& folder, std::size_t commands, std::uint64_t seed, bool late_sync) {
  OneRun run(folder, seed, late_sync);
  return run.Go(commands);
}

std::string Revive(storage::DataFolder& folder, const Moment& moment, std::int64_t passed_ms) {
  return Revived(moment, passed_ms).Go(folder);
}

}  // namespace smsflow::crash
