// The engine: whatever is asked of it, and in whatever state, is answered once; what was answered by an error left
// every stored row as it was; and all that is stored agrees with itself in the end, also after the process went away.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engine/inspect.h"
#include "storage/journal.h"
#include "storage/memory_store.h"
#include "tests/engine/world.h"
#include "tests/fuzz/delivery_inputs.h"
#include "tests/fuzz/fuzz.h"

namespace engine = smsflow::engine;
namespace storage = smsflow::storage;
namespace workflows = smsflow::workflows;
namespace delivery = smsflow::workflows::delivery;
using smsflow::AttemptId;
using smsflow::InstanceId;
using smsflow::ShardId;
using smsflow::fuzz::AnyName;
using smsflow::fuzz::Require;

namespace {

constexpr std::uint16_t kShards = 4;

const storage::IndexKeys& Keys() {
  static const storage::IndexKeys keys{std::string(32, 'k')};
  return keys;
}

engine::Policy PolicyOf(const delivery::Policy& choice) {
  engine::Policy policy;
  policy.bytes = delivery::EncodePolicy(choice);
  policy.digest = storage::PayloadDigest(policy.bytes);
  return policy;
}

// All rows: family and key, and value.
using Rows = std::map<std::string, std::string>;
Rows AllRows(const storage::Store& store) {
  Rows all;
  for (int family = 0; family < storage::kFamilies; ++family)
    for (auto rows = store.Scan(static_cast<storage::Family>(family), "", "\xFF"); rows->Valid(); rows->Next())
      all[std::to_string(family) + std::string(rows->key())] = rows->value();
  return all;
}

void RequireSame(const Rows& before, const Rows& after, const char* rule) {
  if (before == after) return;
  const auto tell = [](const char* what, const std::string& key) {
    std::fprintf(stderr, "%s: family %c kind %c, %zu bytes\n", what, key[0], key[1], key.size());
  };
  for (const auto& [key, value] : before) {
    const auto now = after.find(key);
    if (now == after.end() || now->second != value) tell(now == after.end() ? "gone" : "changed", key);
  }
  for (const auto& [key, value] : after)
    if (!before.contains(key)) tell("new", key);
  Require(false, rule);
}

class Rig {
 public:
  explicit Rig(FuzzedDataProvider& bytes) : bytes_(bytes) {
    options_.shards = kShards;
    options_.partitions = 1;
    options_.queue_max = 4;
    options_.segment_records = 4;
    options_.dedupe_min_ms = bytes.ConsumeBool() ? 60'000 : options_.dedupe_min_ms;
    options_.fire_budget_per_s = bytes.ConsumeIntegralInRange<std::uint32_t>(1, 5);
    policy_ = PolicyOf(smsflow::fuzz::AnyPolicy(bytes));
    Open();
  }
  ~Rig() { Close(); }

  void Step();
  void RequireWhole();

 private:
  // Of what was asked in one step.
  struct Answers {
    int asked = 0, given = 0;
    bool changed = false;  // one of them may have changed what is stored
  };

  void Open();
  void Close() {
    sessions_.clear();  // which must not outlive it
    engine_.reset();
  }
  void Run();
  void Ask();
  void AskOne();
  void Create();
  void Send();
  void Sweep();
  void Pause();
  void Report();
  void Feed();
  void FeedProgress();
  void Attach();
  void PassTime();
  void Restart();
  void Switch();

  engine::CreateRequest AnyCreate();
  engine::EventRequest AnyEventRequest();
  engine::SweepRequest AnySweep();
  std::string AnyTenant() { return std::string(1, static_cast<char>('a' + bytes_.ConsumeIntegralInRange(0, 2))); }
  InstanceId AnyId();
  AttemptId AnyAttempt();
  // To be called exactly once, with whether what is stored may have changed.
  std::function<void(bool)> Expect();

  FuzzedDataProvider& bytes_;
  engine::EngineOptions options_;
  engine::ManualClock clock_;
  engine::SeededRandom random_{1};
  storage::MemoryStore store_;
  engine::Policy policy_;
  engine::PostBox posts_;
  const std::unique_ptr<workflows::Workflow> workflow_ = delivery::MakeDeliveryWorkflow();
  std::unique_ptr<engine::Engine> engine_;
  std::vector<std::unique_ptr<engine::PeerSession>> sessions_;
  std::shared_ptr<engine::Inbox> inbox_ = std::make_shared<engine::Inbox>();
  std::vector<InstanceId> ids_;
  std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
  std::uint64_t fed_ = 0;
};

void Rig::Open() {
  engine::EngineParts parts;
  parts.store = &store_;
  parts.index_keys = &Keys();
  parts.clock = &clock_;
  parts.random = &random_;
  parts.policies = [this](std::string_view, std::uint16_t) -> const engine::Policy& { return policy_; };
  parts.fatal = [](const absl::Status& status) {
    std::fprintf(stderr, "fatal: %s\n", status.ToString().c_str());
    std::abort();
  };
  parts.posts = &posts_;
  parts.workflows = {workflow_.get()};
  auto opened = engine::Engine::Open(options_, std::move(parts));
  Require(opened.ok(), "what it wrote it can open");
  engine_ = *std::move(opened);
}

void Rig::Run() {
  int rounds = 0;
  for (int quiet = 0; quiet < 3; ++rounds) {
    quiet = engine_->RunOnce() ? 0 : quiet + 1;
    Require(rounds < 10'000, "it comes to rest");
  }
}

std::function<void(bool)> Rig::Expect() {
  ++answers_->asked;
  return [answers = answers_, given = false](bool changed) mutable {
    Require(!std::exchange(given, true), "an answer comes once");
    ++answers->given;
    answers->changed |= changed;
  };
}

InstanceId Rig::AnyId() {
  if (!ids_.empty() && bytes_.ConsumeIntegralInRange(0, 7) != 0)
    return ids_[bytes_.ConsumeIntegralInRange<std::size_t>(0, ids_.size() - 1)];
  // Of a shard that there is, or of none.
  return InstanceId::Make(clock_.wall_ms, ShardId{bytes_.ConsumeIntegralInRange<std::uint16_t>(0, 2 * kShards)}, 7);
}

AttemptId Rig::AnyAttempt() {
  if (!inbox_->leases.empty() && bytes_.ConsumeIntegralInRange(0, 7) != 0)
    return inbox_->leases[bytes_.ConsumeIntegralInRange<std::size_t>(0, inbox_->leases.size() - 1)].attempt;
  return {AnyId(), bytes_.ConsumeIntegralInRange<std::uint32_t>(0, 3)};
}

engine::CreateRequest Rig::AnyCreate() {
  engine::CreateRequest request;
  request.workflow = bytes_.ConsumeIntegralInRange(0, 15) == 0 ? 9 : delivery::kWorkflowNumber;
  request.tenant = AnyTenant();
  request.target = AnyName(bytes_, "target");
  request.actor = "fuzzer";
  request.dedupe_key = AnyName(bytes_, "once");
  request.fingerprint = std::string(16, bytes_.ConsumeBool() ? 'f' : 'g');
  request.payload = "sealed";
  request.event =
      bytes_.ConsumeIntegralInRange(0, 3) == 0 ? smsflow::fuzz::AnyCommand(bytes_) : smsflow::fuzz::AnySchedule(bytes_);
  return request;
}

engine::EventRequest Rig::AnyEventRequest() {
  engine::EventRequest request;
  request.id = AnyId();
  request.tenant = bytes_.ConsumeBool() ? "" : AnyTenant();
  request.actor = "fuzzer";
  request.event = smsflow::fuzz::AnyCommand(bytes_);
  if (bytes_.ConsumeBool()) request.payload = "sealed anew";
  return request;
}

engine::SweepRequest Rig::AnySweep() {
  constexpr const char* kIndexed[] = {"", "batch", "key", "target", "batch"};
  engine::SweepRequest request;
  request.workflow = delivery::kWorkflowNumber;
  request.tenant = AnyTenant();
  request.actor = "fuzzer";
  request.index = bytes_.ConsumeIntegralInRange<std::uint16_t>(0, 4);
  request.value = AnyName(bytes_, kIndexed[request.index]);
  request.event = smsflow::fuzz::AnyCommand(bytes_);
  if (request.index != delivery::kTargetIndex) return request;
  request.target = request.value;
  if (bytes_.ConsumeBool()) request.membership = {delivery::kBlockedSet, bytes_.ConsumeBool()};
  request.sweep = !request.membership || request.membership->member;
  return request;
}

void Rig::Create() {
  engine_->Create(AnyCreate(), [this, told = Expect()](const engine::Answer& answer) {
    if (answer.status.ok() && !answer.duplicate) ids_.push_back(answer.id);
    told(answer.status.ok() && !answer.duplicate);
  });
}

void Rig::Send() {
  engine_->Send(AnyEventRequest(), [told = Expect()](const engine::Answer& answer) { told(answer.status.ok()); });
}

void Rig::Sweep() {
  engine_->Sweep(AnySweep(), [told = Expect()](const engine::SweepAnswer& answer) { told(answer.status.ok()); });
}

void Rig::Pause() {
  engine::PauseRequest request;
  request.scope = static_cast<storage::PauseScope>(bytes_.ConsumeIntegralInRange(1, 4));
  if (request.scope == storage::PauseScope::kTenant || request.scope == storage::PauseScope::kIndexValue)
    request.tenant = AnyTenant();
  if (request.scope == storage::PauseScope::kIndexValue) {
    request.index = delivery::kBatchIndex;
    request.value = "batch1";
  }
  if (request.scope == storage::PauseScope::kGateway) request.value = "g1";
  request.actor = "fuzzer";
  request.resume = bytes_.ConsumeBool();
  engine_->Pause(std::move(request), [told = Expect()](const absl::Status& status, bool) { told(status.ok()); });
}

void Rig::Report() {
  if (sessions_.empty()) return;
  auto& session = sessions_[bytes_.ConsumeIntegralInRange<std::size_t>(0, sessions_.size() - 1)];
  const AttemptId attempt = AnyAttempt();
  session->Report(attempt, smsflow::fuzz::AnyReport(bytes_, 3), [told = Expect()](const engine::ReportAnswer& answer) {
    told(answer.outcome == engine::ReportOutcome::kApplied || answer.outcome == engine::ReportOutcome::kNoted);
  });
}

// A record of a log; some are read again.
void Rig::Feed() {
  static const auto feed = std::make_shared<const engine::FeedId>(engine::FeedId{"log", 0});
  static const auto peer =
      std::make_shared<const engine::PeerHello>(engine::PeerHello{{"g1", "u1"}, {"a", "b", "c"}, {}, {}});
  engine::Origin origin;
  origin.feed = feed;
  origin.position = fed_ < 2 || bytes_.ConsumeIntegralInRange(0, 3) != 0 ? fed_++ : fed_ - 1;
  origin.digest[0] = 1;
  engine::FedWork work;
  switch (bytes_.ConsumeIntegralInRange(0, 4)) {
    case 0:
      work = AnyCreate();
      break;
    case 1:
      work = AnyEventRequest();
      break;
    case 2:
      work = AnySweep();
      break;
    case 3:
      work = engine::FedReport{peer, AnyAttempt(), smsflow::fuzz::AnyReport(bytes_, 3)};
      break;
    default:
      work = engine::DeadLetter{"it cannot be read"};
  }
  engine_->Feed(std::move(origin), std::move(work), [this, told = Expect()](const engine::FedAnswer& answer) {
    if (answer.what == engine::Taking::kApplied && answer.answer.id != InstanceId{}) ids_.push_back(answer.answer.id);
    // A refused one leaves a dead letter.
    told(answer.what == engine::Taking::kApplied || answer.what == engine::Taking::kRefused);
  });
}

void Rig::FeedProgress() {
  static const auto feed = std::make_shared<const engine::FeedId>(engine::FeedId{"log", 0});
  engine_->FeedProgress(feed, std::vector<std::uint64_t>(kShards, fed_), {}, /*again=*/false,
                        [told = Expect()](const absl::Status& status) { told(status.ok()); });
}

void Rig::Attach() {
  if (!sessions_.empty() && bytes_.ConsumeIntegralInRange(0, 3) == 0) {
    sessions_.erase(sessions_.begin());
    return;
  }
  engine::PeerHello hello;
  hello.peer = {bytes_.ConsumeBool() ? "g1" : "g2", bytes_.ConsumeBool() ? "u1" : "u2"};
  hello.tenants = {AnyTenant(), AnyTenant()};
  if (bytes_.ConsumeBool()) hello.lanes = {AnyName(bytes_, "lane"), "lane1"};
  const ShardId shard{bytes_.ConsumeIntegralInRange<std::uint16_t>(0, kShards)};
  if (shard.value < kShards) hello.marks = {{shard, 0, engine_->Committed(shard)}};
  auto session = engine_->Attach(std::move(hello), std::make_shared<engine::InboxLink>(inbox_));
  if (!session.ok()) return;
  answers_->changed = true;  // what it held is lost, or is handed over again
  (*session)->AddCredit(bytes_.ConsumeIntegralInRange<std::uint32_t>(0, 5));
  sessions_.push_back(*std::move(session));
}

void Rig::AskOne() {
  switch (bytes_.ConsumeIntegralInRange(0, 7)) {
    case 0:
    case 1:
      return Create();
    case 2:
    case 3:
      return Send();
    case 4:
      return Sweep();
    case 5:
      return Pause();
    case 6:
      return Feed();
    default:
      return Report();
  }
}

// One command, or so many that the queue is too short for them. It rests before: what is stored then changes by what
// is asked alone.
void Rig::Ask() {
  Run();
  const Rows before = AllRows(store_);
  answers_ = std::make_shared<Answers>();
  const int most = bytes_.ConsumeIntegralInRange(0, 7) == 0 ? 12 : 1;
  for (int i = 0; i < most; ++i) AskOne();
  Run();
  Require(answers_->given == answers_->asked, "all that was asked is answered");
  if (!answers_->changed) RequireSame(before, AllRows(store_), "an error leaves every row as it was");
}

void Rig::PassTime() {
  const std::int64_t ms = bytes_.ConsumeIntegralInRange<std::int64_t>(0, bytes_.ConsumeBool() ? 90'000 : 100'000'000);
  if (bytes_.ConsumeIntegralInRange(0, 15) == 0) {
    clock_.wall_ms += bytes_.ConsumeBool() ? ms : -std::min<std::int64_t>(ms, 10'000'000);
  } else {
    clock_.Advance(ms);
  }
  Run();
}

// The process goes away. All that was answered is durable, and whoever opens it reads and writes nothing of its own.
void Rig::Restart() {
  Close();
  const Rows before = AllRows(store_);
  const bool synced = store_.unsynced() == 0;
  store_.Crash();
  if (synced) RequireSame(before, AllRows(store_), "what was synced stays");
  Open();
  Run();
}

void Rig::Switch() {
  switch (bytes_.ConsumeIntegralInRange(0, 5)) {
    case 0:
      return engine_->Drain(bytes_.ConsumeBool());
    case 1:
      return engine_->SetDiskGuard(bytes_.ConsumeBool());
    case 2:
      engine_->TrustClock();
      return Run();
    case 3:
      (void)engine_->Explain(AnyId());
      return;
    case 4:
      inbox_->full = !inbox_->full;
      if (!sessions_.empty()) sessions_.back()->AddCredit(bytes_.ConsumeIntegralInRange<std::uint32_t>(0, 5));
      return Run();
    default:
      for (const engine::Post& post : std::exchange(posts_.received, {})) engine_->Taken(post.shard, post.sequence);
      return Run();
  }
}

void Rig::Step() {
  switch (bytes_.ConsumeIntegralInRange(0, 11)) {
    case 0:
    case 1:
      PassTime();
      break;
    case 2:
      Attach();
      Run();
      break;
    case 3:
      Switch();
      break;
    case 4:
      if (bytes_.ConsumeIntegralInRange(0, 3) == 0)
        Restart();
      else
        FeedProgress(), Run();
      break;
    default:
      Ask();
  }
}

void Rig::RequireWhole() {
  engine::Inspector inspector(store_, Keys(), kShards);
  const auto found = [](const std::string& finding) {
    std::fprintf(stderr, "%s\n", finding.c_str());
    Require(false, "what is stored agrees with itself");
  };
  Require(inspector.Run(found, [](const auto&) { return true; }).ok(), "it can be read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider bytes(data, size);
  Rig rig(bytes);
  for (int steps = 0; steps < 200 && bytes.remaining_bytes() > 0; ++steps) rig.Step();
  rig.RequireWhole();
  return 0;
}
