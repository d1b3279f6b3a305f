#include "tests/sim/simulation.h"

#include <algorithm>
#include <utility>

#include "storage/records.h"
#include "tests/sim/journal_text.h"
#include "tests/sim/run.h"
#include "tests/sim/sim_engine.h"
#include "tests/sim/sim_workflow.h"

namespace smsflow::sim {

Run::Run(const RunOptions& options)
    : random_(options.seed),
      hooks_(options.bug),
      seed_(options.seed),
      played_(options.played),
      wanted_(options.coverage),
      world_(Options(options.seed), options.seed) {
  world_.engine.reset();
  world_.options.partitions = Options(options.seed).partitions;  // a world of tests has one
  world_.workflow = WatchDelivery(coverage_, hooks_);
  world_.policy_of = [this](std::string_view tenant) -> const engine::Policy& {
    return policies_.at(std::string(tenant));
  };
  world_.wrap_store = [this](storage::Store& below) {
    return std::make_unique<SimStore>(below, world_.clock, disk_, hooks_,
                                      [this](const char* fault) { DiskFault(fault); });
  };
  world_.wrap_engine = [this](std::unique_ptr<engine::Engine> real) { return WithHooks(std::move(real), hooks_); };
  world_.high_water = &marks_;
  same_random_ = std::make_unique<SameRandom>();
  if (hooks_.same_random) world_.engine_random = same_random_.get();
  clock_ahead_ = std::make_unique<ClockAhead>(world_.clock, hooks_.clock_ahead_ms);
  if (hooks_.clock_ahead_ms != 0) world_.engine_clock = clock_ahead_.get();
  marks_.ahead = hooks_.high_water_ahead;
  clock_jump_ms_ = world_.options.clock_jump_ms;
  world_.options.clock_jump_ms += hooks_.clock_guard_late_ms;
  budget_per_s_ = world_.options.fire_budget_per_s;
  queue_max_ = world_.options.queue_max;
  if (hooks_.no_queue_max) world_.options.queue_max = kQueueNeverFull;
  if (hooks_.no_budget) world_.options.fire_budget_per_s = 1'000'000'000;
  epoch_ms_ = world_.clock.wall_ms - world_.clock.steady_ms;
  newest_wall_ms_ = world_.clock.wall_ms;
  ledger_ = std::make_unique<Ledger>(world_.memory, world_.options.shards, coverage_);
  ledger_->recorded = [this](const InstanceId& id, std::uint64_t sequence, const Life& before,
                             const JournalBody& record) { Recorded(id, sequence, before, record); };
  ChooseTheme();
  ChoosePolicies();
  ChooseGateways();
  ChooseFaults();
  if (Open()) Rounds();
}

// What waits for an answer points into the run, so the engine goes before all else.
Run::~Run() {
  gateways_.clear();
  world_.engine.reset();
}

engine::EngineOptions Run::Options(std::uint64_t seed) {
  engine::EngineOptions options;
  options.partitions = static_cast<std::uint16_t>(1 + seed % 2);
  options.cache_bytes = seed % 3 == 0 ? 4'096 : 1 << 20;
  options.batch_max = seed % 5 == 0 ? 3 : 256;
  options.fire_budget_per_s = seed % 7 == 0 ? 2 : 1'000;
  options.queue_max = seed % 11 > 7 ? static_cast<std::uint32_t>(5 + seed % 16) : kQueueNeverFull;
  options.dedupe_min_ms = 30 * kMinuteMs;
  return options;
}

RunReport Run::Go() {
  const auto held = [this] { return report_.violations.empty() && truth_.violations.empty(); };
  for (step_ = 1; step_ <= played_.steps && held(); ++step_)
    if (!played_.left_out.contains(step_)) Step();
  if (held()) {
    step_ = played_.steps + 1;
    Reseed();
    Quiet();
  }
  for (const std::string& violation : truth_.violations) report_.violations.push_back(violation);
  report_.step = step_;
  report_.journals = ledger_->Digest();
  report_.crashes = static_cast<std::uint64_t>(ledger_->lives());
  for (const auto& [attempt, count] : truth_.submits) report_.submits += static_cast<std::uint64_t>(count);
  if (!report_.violations.empty())
    report_.journal = Lives();
  else
    report_.trace.clear();
  if (wanted_ != nullptr) wanted_->Add(coverage_);
  return report_;
}

void Run::Step() {
  // An engine that was cut down in the middle of a write is started again at the next step.
  try {
    disk_.slept_ms = 0;
    Reseed();  // so that a step does the same when others are left out
    if (world_.engine == nullptr) return Restart();
    if (themed() && Pick(8) == 0) Help();
    GiveRecords();
    if (Pick(6) == 0) {
      Together();
    } else {
      const Choice& command = AnyCommand();
      if (command.make != &Run::MoveTime && command.make != &Run::StepGateway) MeetATimer();
      Give(command);
    }
    met_.clear();
    Settle();
  } catch (const engine::WatchedStore::PowerCut&) {
    Hit("event the power was cut");
    Met("the power is cut at a write");
    Restart();
  } catch (const engine::Fatal&) {
    if (disk_.errors == 0) return Violated("the engine ended itself: " + world_.fatal);
    Hit("event the engine ended itself for its disk");
    Restart();
  }
}

const Run::Choice& Run::AnyCommand() {
  int weights = 0;
  for (const Choice& command : commands_) weights += command.weight;
  int what = Pick(weights);
  Trace(static_cast<std::uint64_t>(what));
  return *std::find_if(commands_.begin(), commands_.end(),
                       [&what](const Choice& command) { return (what -= command.weight) < 0; });
}

void Run::Give(const Choice& command) {
  Tell(command.name);
  if ((this->*command.make)()) Hit(std::string("command ") + command.name);
}

// Several commands and what gateways report are there before the engine looks at any of them; mostly about one SMS.
// Nothing is asked after a fault: it may have ended the engine.
void Run::Together() {
  Hit("event commands are queued together");
  MeetATimer();
  if (met_.empty() && Pick(3) != 0)
    if (const auto* entry = Pick(2) == 0 ? OneInFlight() : AnySms(); entry != nullptr) met_ = entry->first;
  const bool burst = fills() && Pick(4) == 0;
  int orders = burst ? static_cast<int>(2 * queue_max_) * world_.options.partitions : 0;
  for (; orders > 0; --orders) Pick(5) == 0 ? Schedule() : Cancel();
  for (int left = 2 + Pick(2); left > 0; --left) {
    const Choice& command = AnyCommand();
    if (command.make == &Run::MoveTime) continue;
    Give(command);
    if (command.make == &Run::Fault) return;
  }
  for (const auto& gateway : gateways_)
    for (int i = Pick(burst ? 40 : 8); i > 0 && gateway->attached(); --i) gateway->Step(true_ms());
  CheckQueues();
}

// A write takes its time, and the world goes on: what comes now is there when the engine has decided and not yet said.
void Run::Meanwhile() {
  if (world_.engine == nullptr) return;  // it is only being opened
  Hit("event a command during a slow write");
  Tell("  meanwhile");
  for (int left = 1 + Pick(3); left > 0; --left) {
    const Choice& command = AnyCommand();
    if (command.make != &Run::MoveTime && command.make != &Run::Fault) Give(command);
  }
  ModelGateway& gateway = AnyGateway();
  if (gateway.attached() && Pick(3) == 0) {
    Hit("event a link is cut during a slow write");
    gateway.CutLink();
  }
  if (!gateway.attached() && Pick(2) == 0) {
    Hit("event a gateway comes during a slow write");
    gateway.Attach(*world_.engine);
  }
  for (const auto& other : gateways_)
    for (int i = Pick(6); i > 0 && other->attached(); --i) other->Step(true_ms());
}

void Run::Tell(const std::string& what) {
  const std::int64_t passed_s = (true_ms() - epoch_ms_ - 1'000'000) / 1'000;
  report_.trace.push_back("step " + std::to_string(step_) + ", second " + std::to_string(passed_s) + ": " + what);
}

void Run::Rounds() {
  int rounds = 0;
  for (int quiet = 0; quiet < 3 && rounds < 50'000; ++rounds) quiet = Round() ? 0 : quiet + 1;
  if (rounds == 50'000) Violated("I19: the engine never comes to rest");
}

// One of each partition. One of them mostly makes several before the other is awake.
bool Run::Round() {
  bool busy = false;
  if (world_.options.partitions > 1) {
    interleaving_ = interleaving_ * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
    const bool at_once = (interleaving_ >> 32) % 16 == 0;
    const auto faster = static_cast<std::uint16_t>(seed_ / 2 % 2);
    for (int left = at_once ? 0 : 3; left > 0 && world_.engine->RunPartition(faster); --left) busy = true;
  }
  return world_.engine->RunOnce() || busy;
}

// When nothing is left to do, all must hold.
void Run::Settle() {
  if (world_.engine == nullptr) return;
  Rounds();
  if (disk_.errors != 0) Violated("the engine went on with a disk that had failed");
  stopped_now_.clear();
  reported_now_.clear();
  newest_wall_ms_ = std::max(newest_wall_ms_, world_.clock.wall_ms);
  if (!IsWrong()) {
    if (!trusted_skew_ms_) Hit("event a clock behind what is stored is put right");
    trusted_skew_ms_ = skew_ms();
  }
  CheckStep();
  NoteWaiting();
}

bool Run::IsWrong() const {
  if (!trusted_skew_ms_) return world_.clock.wall_ms < stored_ms_ - clock_jump_ms_;
  return std::abs(skew_ms() - *trusted_skew_ms_) > clock_jump_ms_;
}

void Run::Pass(std::int64_t ms) {
  world_.clock.Advance(ms);
  newest_wall_ms_ = std::max(newest_wall_ms_, world_.clock.wall_ms);
}

void Run::Restart() {
  Tell("the engine is started again");
  newest_wall_ms_ = std::max(newest_wall_ms_, world_.clock.wall_ms);
  End();
  looked_at_.clear();
  waiting_.clear();  // whose turn it is stands in memory
  world_.wrapped.reset();
  if (const auto unsynced = static_cast<int>(world_.memory.unsynced()); unsynced != 0) {
    const int kept = Pick(unsynced + 1);
    Hit(kept < unsynced ? "event a crash loses what was not synced" : "event a crash keeps what was not synced");
    world_.memory.Crash(static_cast<std::size_t>(kept));
  } else {
    world_.memory.Crash();
  }
  ledger_->CompareAfterCrash(report_.violations);
  if (!report_.violations.empty() || !Open()) return;
  CheckAfterRestart();
  if (!report_.violations.empty()) return;
  try {
    ReadLogAgain();
    Settle();
    CheckSweeps();
  } catch (const engine::Fatal&) {
    if (disk_.errors == 0) return Violated("the engine ended itself when it was started: " + world_.fatal);
    End();  // and is started again at the next step
  } catch (const engine::WatchedStore::PowerCut&) {
    End();
  }
}

void Run::End() {
  for (const auto& gateway : gateways_) gateway->CutLink();  // it may have come while the engine was being started
  world_.engine.reset();
}

bool Run::Open() {
  disk_.errors = disk_.power_cut_in = 0;
  if (disk_.full && Pick(2) == 0) {
    Hit("event there is space on the disk again");
    disk_.full = false;
  }
  draining_ = disk_guard_ = log_begun_ = false;
  begun_wall_ms_ = world_.clock.wall_ms;
  late_first_ms_ = late_last_ms_ = -1;
  stored_ms_ = 0;
  for (std::uint16_t shard = 0; shard < world_.options.shards; ++shard) {
    const auto marks = storage::GetMarks(world_.memory, ShardId{shard});
    if (marks.ok() && marks->has_value()) stored_ms_ = std::max(stored_ms_, (*marks)->live_ms());
  }
  trusted_skew_ms_.reset();
  if (!IsWrong()) trusted_skew_ms_ = skew_ms();
  const absl::Status status = world_.TryOpen();
  if (status.ok()) return true;
  if (disk_.errors == 0) Violated("the engine does not start: " + status.ToString());
  world_.engine.reset();
  return false;
}

// The lives of those that the violations name, as a person would read them; of all when they name none.
std::string Run::Lives() {
  const std::set<InstanceId> named = NamedIn(report_.violations);
  std::string text;
  for (const auto& [id, known] : ledger_->instances()) {
    if (!named.empty() && named.count(id) == 0) continue;
    const auto name = names_.find(id);
    text += id.ToString() + ", " +
            (name == names_.end() ? "of no answer"
                                  : name->second + " of tenant " + asked_.at(name->second).request.tenant) +
            "\n";
    std::string fixed;
    for (const auto& [sequence, bytes] : known.bodies) {
      ::smsflow::stored::v1::JournalBody body;
      if (!body.ParseFromString(bytes)) continue;
      if (!body.fixed().empty()) fixed = body.fixed();
      text += "  " + std::to_string(sequence) + "  " + Readable(*world_.workflow, body, fixed) + "\n";
    }
  }
  return text;
}

std::vector<std::string> Run::NamesToReach() const {
  std::vector<std::string> names = RowsToReach();
  for (std::string& check : ChecksToReach()) names.push_back(std::move(check));
  for (std::string& refusal : RefusalsToReach()) names.push_back(std::move(refusal));
  for (const Choice& command : commands_) names.push_back(std::string("command ") + command.name);
  for (const char* part :
       {"cancel a batch", "cancel a key", "cancel a target", "cancel all of a tenant", "pause all", "pause a tenant",
        "pause a gateway", "pause a batch", "block a target", "unblock a target", "look now at a batch",
        "look now at all of a tenant", "a record that cannot be read", "a record that looks at many",
        "a record that looks at one", "a record that reports", "a record that schedules"})
    names.push_back(std::string("command ") + part);
  for (const char* event : {"a clock ahead is trusted",
                            "a clock behind is trusted",
                            "a clock behind what is stored is put right",
                            "a jump of the clock is believed",
                            "a jump of the clock is noticed",
                            "a command during a slow write",
                            "a crash keeps what was not synced",
                            "a crash loses what was not synced",
                            "a full queue refuses a new SMS",
                            "a gateway comes during a slow write",
                            "a gateway's store is lost",
                            "a gateway keeps its reports back for full queues",
                            "a link is cut during a slow write",
                            "a link is full",
                            "a command meets a timer that falls due",
                            "a probe reaches a gateway",
                            "a stop and a report of one SMS are queued together",
                            "a sweep is complete",
                            "a record of a log is read again",
                            "a whole run is erased",
                            "all is mended, and the engine goes on",
                            "all is mended, and the engine is started again",
                            "an SMS whose tenant retries the unknown",
                            "an attempt is handed over again",
                            "an attempt leaves",
                            "asked again after the answer",
                            "asked again without an answer",
                            "commands are queued together",
                            "not rescheduled",
                            "rescheduled",
                            "the clock jumps back to the truth",
                            "the clock jumps while the engine is down",
                            "the engine ended itself for its disk",
                            "the power was cut",
                            "there is space on the disk again",
                            "two open timers of one SMS overdue at once",
                            "what is late leaves"})
    names.push_back(std::string("event ") + event);
  std::vector<std::string> kinds = FaultKinds();
  kinds.insert(kinds.end(), {"a lease or a probe comes twice", "a lease or a probe is lost on its way",
                             "a lease or a probe is overtaken", "a report comes twice", "a report is lost on its way",
                             "a report is overtaken", "a small step of the clock back", "a write fails and happens",
                             "a write fails and does not happen", "the clock jumps ahead", "the clock jumps back"});
  for (const std::string& kind : kinds) {
    names.push_back("fault " + kind);
    for (const delivery::State state : delivery::kAllStates)
      if (CanMeet(kind, state)) names.push_back(MetName(kind, state));
  }
  return names;
}

std::vector<std::string> Run::FaultKinds() const {
  std::vector<std::string> kinds;
  for (const Choice& fault : faults_) kinds.emplace_back(fault.name);
  return kinds;
}

RunReport RunSeed(const RunOptions& options) { return Run(options).Go(); }

std::vector<std::string> NamesToReach() { return Run(RunOptions{}).NamesToReach(); }
std::vector<std::string> FaultKinds() { return Run(RunOptions{}).FaultKinds(); }

}  // namespace smsflow::sim
