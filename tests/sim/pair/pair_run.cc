// What clients and operators do in a run, and how its parts take turns.
#include "tests/sim/pair/pair_run.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/hash.h"
#include "tests/gateway/plain_opener.h"
#include "tests/sim/names.h"
#include "tests/sim/pair/pair.h"
#include "tests/sim/sim_engine.h"

namespace smsflow::sim {
namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr char kStray[] = "a message of the link goes astray";

engine::EngineOptions OptionsOf(std::uint64_t seed) {
  engine::EngineOptions options;
  options.cache_bytes = seed % 3 == 0 ? 4'096 : 1 << 20;
  options.batch_max = seed % 5 == 0 ? 3 : 256;
  options.fire_budget_per_s = seed % 7 == 0 ? 2 : 1'000;
  return options;
}

PairLinkOptions LinkOf(const PairRunOptions& run, std::uint32_t credit) {
  const std::uint64_t seed = run.seed;
  PairLinkOptions options;
  options.credit = credit;
  options.stray = seed % 4 == 0 && !run.played.without.contains(kStray);
  if (seed % 3 == 0) options.unsent_max = 2;
  return options;
}

class PairOpener : public gateway::Opener {
 public:
  std::optional<gateway::OpenedSms> Open(const engine::Lease& lease, gateway::Unreadable& why) const override {
    engine::Lease own = lease;
    const std::size_t end = own.payload.find('\n');
    const std::string number = NumberOf("", lease.attempt.number);
    if (end != own.payload.npos && end > number.size()) own.payload.replace(end - number.size(), number.size(), number);
    return plain_.Open(own, why);
  }

 private:
  gateway::PlainOpener plain_;
};

}  // namespace

std::unique_ptr<gateway::Opener> MakePairOpener() { return std::make_unique<PairOpener>(); }

std::string NumberOf(const std::string& base, std::uint32_t attempt) {
  return absl::StrCat(base, attempt / 10 % 10, attempt % 10);
}

PairRun::PairRun(const PairRunOptions& options)
    : options_(options),
      random_(options.seed),
      world_(OptionsOf(options.seed), options.seed),
      engine_clock_(world_.clock),
      gateway_clock_(world_.clock),
      gateway_memory_(std::make_unique<storage::MemoryStore>()),
      script_(ScriptOf(random_, options.played.without)),
      site_(script_, world_.clock, random_),
      credit_(static_cast<std::uint32_t>(1 + Below(12))),
      link_(LinkOf(options, credit_), random_, world_.index_keys,
            {[this](const PeerId& peer, const engine::Lease& lease) { Handed(peer, lease); },
             [this](const gateway::Report& report) { Told(report); },
             [this](const std::string& what) { Violated(what); }, options.bug.down, options.bug.up}) {
  world_.engine.reset();
  world_.options.partitions = static_cast<std::uint16_t>(1 + Below(2));
  world_.workflow = delivery::MakeDeliveryWorkflow();
  world_.engine_clock = &engine_clock_;
  world_.policy_of = [this](std::string_view tenant) -> const engine::Policy& {
    return policies_.at(std::string(tenant));
  };
  world_.wrap_store = [this](storage::Store& below) {
    return std::make_unique<SimStore>(below, world_.clock, engine_disk_, options_.bug.engine);
  };
  world_.wrap_engine = [this](std::unique_ptr<engine::Engine> real) {
    return WithHooks(std::move(real), options_.bug.engine);
  };
  ChoosePolicies();
  parts_.emplace(GatewayParts{.gateway = "g1",
                              .tenants = {"t", "u"},
                              .smsc = SmscOf(random_),
                              .pace = PaceOf(random_),
                              .opener = MakePairOpener,
                              .turn = [](const auto&, const auto*) {},
                              .clock = gateway_clock_,
                              .disks_clock = world_.clock,
                              .memory = gateway_memory_.get(),
                              .disk = gateway_disk_,
                              .low = low_,
                              .site = site_,
                              .link = link_,
                              .hooks = options.bug.gateway});
  if (options.bug.gateway.options) options.bug.gateway.options(parts_->smsc);
  site_.leaving = [this](std::string_view destination) { Leaving(destination); };
}

// What waits for an answer points into the run, and sessions into the engine.
PairRun::~PairRun() {
  link_.EngineGone();
  world_.engine.reset();
  link_.GatewayGone();
  gateway_.reset();
}

void PairRun::ChoosePolicies() {
  for (const char* tenant : {"t", "u"}) {
    delivery::Policy& policy = typed_policies_[tenant];
    policy.wait_after_fail_ms = Below(3) * kMinute;
    policy.ack_send_timeout_ms = (1 + Below(5)) * kMinute;
    policy.ack_receipt_timeout_ms = (2 + Below(15)) * kMinute;
    policy.max_jitter_ms = Below(3) * 15'000;
    policy.probe_ms = kMinute / (1 + Below(4));
    policy.max_attempts = Chance(30) ? static_cast<std::uint32_t>(1 + Below(3)) : 0;
    policy.on_unknown = Chance(40) ? delivery::OnUnknown::kRetry : delivery::OnUnknown::kHold;
    engine::Policy& stored = policies_[tenant];
    stored.bytes = delivery::EncodePolicy(policy);
    stored.digest = crypto::Cut(crypto::Sha256(stored.bytes));
  }
}

void PairRun::Trace(const std::string& what) {
  report_.trace.push_back(
      absl::StrCat("step ", step_, ", second ", (world_.clock.steady_ms - 1'000'000) / 1'000, ": ", what));
}

void PairRun::Violated(const std::string& what) {
  if (report_.violations.empty()) report_.step = step_;
  if (report_.violations.size() < 20) report_.violations.push_back(what);
}

PairRunReport PairRun::Make() {
  Trace("the SMSC's habits: " + HabitsOf(script_));
  StartEngine();
  StartGateway();
  const Played& played = options_.played;
  for (step_ = 1; step_ <= played.steps && report_.violations.empty(); ++step_) {
    if (played.left_out.contains(step_)) continue;
    Reseed(random_, options_.seed, step_);
    Step();
    Check();
  }
  if (report_.violations.empty()) {
    Reseed(random_, options_.seed, step_);
    Quiet();
  }
  if (report_.violations.empty()) CheckTheEnd();
  if (!report_.violations.empty()) report_.journal = Lives();
  Sum();
  return std::move(report_);
}

void PairRun::Engine(const std::function<void()>& what) {
  try {
    what();
  } catch (const engine::Fatal&) {
    if (engine_disk_.errors == 0 && !must_stop_) Violated("the engine ended itself: " + world_.fatal);
    if (engine_disk_.errors != 0) Met("the engine ended itself for its disk");
    KillEngine();
  }
}

// Of a gateway any end is as good as a kill at that moment.
void PairRun::Gateway(const std::function<void()>& what) {
  try {
    what();
  } catch (const engine::Fatal&) {
    if (gateway_disk_.errors == 0) Violated("the gateway ended itself");
    Met("the gateway ended itself for its disk");
    KillGateway();
  }
}

bool PairRun::Round() {
  bool did = false;
  for (std::int64_t turns = quiet_ ? 2 : Below(3); turns > 0; --turns)
    Engine([&] { did |= world_.engine != nullptr && world_.engine->RunOnce(); });
  Engine([&] { did |= link_.Step(); });
  Gateway([&] {
    if (gateway_ != nullptr) gateway_->Round(random_);
  });
  return site_.Step() || did;
}

void PairRun::Step() {
  if (world_.engine == nullptr && Chance(20)) StartEngine();
  if (gateway_ == nullptr && Chance(20)) StartGateway();
  const std::int64_t what = Below(100);
  if (what < 20) {
    Schedule();
  } else if (what < 68) {
    for (std::int64_t rounds = 1 + Below(8); rounds > 0; --rounds) Round();
  } else if (what < 85) {
    const std::int64_t ms = Chance(75) ? 1 + Below(1'000) : Chance(85) ? Below(kMinute) : Below(10 * kMinute);
    Trace(absl::StrCat(ms, " ms pass"));
    world_.clock.Advance(ms);
  } else if (what < 93) {
    Command();
  } else {
    Disturb();
  }
}

void PairRun::Schedule() {
  const std::string name = absl::StrCat("sms", asked_.size() + 1);
  PairSms& sms = asked_[name];
  delivery::Schedule schedule;
  const std::int64_t from_s = now_ms() / 1'000 - 60 + Below(Chance(70) ? 70 : 300);
  schedule.fixed.slots = {{from_s, from_s + 61 + Below(Chance(40) ? 60 : 600)}};
  if (Chance(50)) schedule.fixed.slots.push_back({from_s + 700, from_s + 720 + Below(600)});
  schedule.fixed.batch = sms.batch = Batch(Below(3));
  schedule.fixed.key = ClientKey(name);
  sms.slots = {schedule.fixed.slots};
  sms.request.workflow = delivery::kWorkflowNumber;
  sms.request.tenant = Chance(60) ? "t" : "u";
  if (Chance(85)) sms.request.target = Target(Below(8));
  sms.request.dedupe_key = RequestKey(name);
  sms.request.fingerprint = std::string(16, 'f');
  // 12 digits with the attempt's, so that no id of the SMSC and no time is one.
  const std::string base = absl::StrCat(asked_.size() % 2 == 0 ? "25570" : "25575", 10'000 + asked_.size());
  of_number_.emplace(base, name);
  constexpr std::string_view kHeaders[] = {"", "Priority: code\n", "Priority: bulk\nSender: A\n"};
  const std::string text(Chance(25) ? 200 + static_cast<std::size_t>(Below(300)) : 20, 'x');
  sms.request.payload = absl::StrCat("To: +", NumberOf(base, 0), "\n", std::string(kHeaders[Below(3)]), "\n",
                                     std::string(kPayloadMark), text);
  sms.request.event = delivery::EncodeSchedule(schedule);
  Trace(absl::StrCat(name, " of tenant ", sms.request.tenant, " to ", base));
  Ask(name);
}

void PairRun::Ask(const std::string& name) {
  if (world_.engine == nullptr) return;
  engine::CreateRequest request = asked_.at(name).request;
  world_.engine->Create(std::move(request), [this, name](const engine::Answer& answer) {
    if (!answer.status.ok()) return;
    PairSms& sms = asked_.at(name);
    if (sms.id && *sms.id != answer.id)
      Violated("I10: " + name + " is " + sms.id->ToString() + " and " + answer.id.ToString());
    names_.emplace(answer.id, name);
    sms.id = answer.id;
    report_.scheduled += sms.acknowledged ? 0 : 1;
    sms.acknowledged = true;
  });
}

std::pair<const std::string, PairSms>* PairRun::AnySms() {
  std::vector<std::pair<const std::string, PairSms>*> some;
  for (auto& one : asked_)
    if (one.second.acknowledged) some.push_back(&one);
  // Mostly a late one: what is long over has no more to lose.
  if (some.empty()) return nullptr;
  const std::size_t last = Chance(80) ? std::min<std::size_t>(some.size(), 12) : some.size();
  std::sort(some.begin(), some.end(), [](auto* a, auto* b) { return *a->second.id < *b->second.id; });
  return some[some.size() - 1 - static_cast<std::size_t>(Below(static_cast<std::int64_t>(last)))];
}

void PairRun::Command() {
  if (world_.engine == nullptr) return;
  switch (Below(12)) {
    case 0:
    case 1:
    case 2:
      return Cancel();
    case 3:
      return CancelMany();
    case 4:
    case 5:
      return Block();
    case 6:
    case 7:
      return Reschedule();
    case 8:
      return Resolve();
    case 9:
    case 10:
      return Pause();
    default:
      if (const auto* entry = AnySms(); entry != nullptr) Ask(entry->first);  // as after a lost answer
  }
}

// No attempt may leave beyond those that have left by now, in the durable state.
void PairRun::Stopped(PairSms& sms) {
  const auto state = world_.StateOf(*sms.id);
  if (state) sms.attempts_max = std::min(sms.attempts_max.value_or(state->effects()), state->effects());
}

void PairRun::Send(engine::EventRequest request, engine::Done done) {
  asked_for_.One(request);
  world_.engine->Send(std::move(request), std::move(done));
}

void PairRun::Cancel() {
  auto* entry = AnySms();
  if (entry == nullptr) return;
  Trace("cancel of " + entry->first);
  Send({*entry->second.id, entry->second.request.tenant, "sim", delivery::EncodeCancel(), std::nullopt},
       [this, entry](const engine::Answer& answer) {
         const auto outcome = static_cast<delivery::Outcome>(answer.outcome);
         const bool canceled = outcome == delivery::Outcome::kCanceled;
         if (!canceled && outcome != delivery::Outcome::kTooLate) return;
         Met(canceled ? "canceled" : "canceled too late");
         Stopped(entry->second);
       });
}

void PairRun::Sweep(engine::SweepRequest request, const std::function<bool(const PairSms&)>& about) {
  request.workflow = delivery::kWorkflowNumber;
  request.actor = absl::StrCat("sweep", ++sweeps_);
  asked_for_.Many(request);
  std::vector<PairSms*> before;
  for (auto& [name, sms] : asked_)
    if (sms.acknowledged && sms.request.tenant == request.tenant && about(sms)) before.push_back(&sms);
  world_.engine->Sweep(std::move(request), [this, before](const engine::SweepAnswer& answer) {
    if (!answer.status.ok()) return;
    Met("many stopped");
    for (PairSms* const sms : before) Stopped(*sms);
  });
}

void PairRun::CancelMany() {
  engine::SweepRequest sweep;
  sweep.tenant = Chance(60) ? "t" : "u";
  sweep.event = delivery::EncodeCancel();
  sweep.index = delivery::kBatchIndex;
  sweep.value = Batch(Below(3));
  Trace(absl::StrCat("cancel of ", sweep.value, " of tenant ", sweep.tenant));
  Sweep(sweep, [value = sweep.value](const PairSms& sms) { return sms.batch == value; });
}

void PairRun::Block() {
  engine::SweepRequest block;
  block.tenant = Chance(60) ? "t" : "u";
  block.target = Target(Below(8));
  block.index = delivery::kTargetIndex;
  block.value = *block.target;
  block.event = delivery::EncodeBlock();
  const bool member = Chance(40);
  block.membership = workflows::MembershipChange{delivery::kBlockedSet, member};
  block.sweep = member;
  Trace(absl::StrCat(member ? "block of " : "unblock of ", *block.target, " of tenant ", block.tenant));
  Sweep(block, [member, target = *block.target](const PairSms& sms) { return member && sms.request.target == target; });
}

void PairRun::Reschedule() {
  auto* entry = AnySms();
  if (entry == nullptr) return;
  Trace("reschedule of " + entry->first);
  delivery::Reschedule change;
  const std::int64_t from_s = now_ms() / 1'000 - 60 + Below(300);
  change.slots = delivery::Slots{{from_s, from_s + 61 + Below(600)}};
  entry->second.slots.push_back(*change.slots);
  Send({*entry->second.id, entry->second.request.tenant, "sim", delivery::EncodeReschedule(change), std::nullopt},
       [this](const engine::Answer& answer) { Met(answer.status.ok() ? "rescheduled" : "not rescheduled"); });
}

void PairRun::Resolve() {
  std::vector<std::pair<const std::string, PairSms>*> unknown;
  for (auto& one : asked_) {
    const auto state = one.second.acknowledged ? world_.StateOf(*one.second.id) : std::nullopt;
    if (state && static_cast<delivery::State>(state->state()) == delivery::State::kUnknown) unknown.push_back(&one);
  }
  if (unknown.empty()) return;
  auto* entry = unknown[static_cast<std::size_t>(Below(static_cast<std::int64_t>(unknown.size())))];
  const auto how = static_cast<delivery::How>(1 + Below(3));
  Trace(absl::StrCat("resolve of ", entry->first, ", ", static_cast<int>(how)));
  Met("resolved");
  Send({*entry->second.id, "", "operator", delivery::EncodeResolve(how), std::nullopt}, [](const engine::Answer&) {});
}

void PairRun::Pause() {
  engine::PauseRequest pause;
  pause.resume = Chance(60);
  switch (Below(3)) {
    case 0:
      pause.scope = storage::PauseScope::kAll;
      break;
    case 1:
      pause.scope = storage::PauseScope::kTenant;
      pause.tenant = "t";
      break;
    default:
      pause.scope = storage::PauseScope::kGateway;
      pause.value = "g1";
      break;
  }
  const std::pair about{pause.scope, pause.tenant};
  const bool resume = pause.resume;
  Trace(absl::StrCat(resume ? "resume " : "pause ", static_cast<int>(pause.scope)));
  if (resume) Resumed(about);
  world_.engine->Pause(std::move(pause), [this, about, resume, before = resumes_](const absl::Status& status, bool) {
    if (!status.ok() || resume || before != resumes_) return;
    Met("paused");
    paused_.insert(about);
  });
}

// From now on it may be resumed at any time.
void PairRun::Resumed(const std::pair<storage::PauseScope, std::string>& about) {
  ++resumes_;
  paused_.erase(about);
}

// All is mended, and everything must come to its end.
void PairRun::Quiet() {
  quiet_ = true;
  Mend();
  for (const auto& [name, sms] : asked_)
    if (!sms.acknowledged) Ask(name);
  for (int look = 0; look < 540 && report_.violations.empty(); ++look) {
    for (int rounds = 0; rounds < 12; ++rounds) Round();
    Check();
    if (look > 20 && Drained()) break;
    world_.clock.Advance(10'000);
  }
  for (int rounds = 0; rounds < 30; ++rounds) Round();
}

bool PairRun::Drained() {
  if (world_.engine == nullptr || gateway_ == nullptr || world_.engine->TakeFigures().open_leases != 0) return false;
  const auto unanswered = gateway_->store().Unanswered(std::nullopt, 1);
  if (!unanswered.ok() || !unanswered->empty()) return false;
  // One that is open at the gateway when its SMS is over: an earlier attempt was DELIVERED after all.
  for (const auto& [attempt, store] : store_of_) {
    const auto record = gateway_->store().Find(attempt);
    if (record.ok() && *record && !(*record)->result) return false;
  }
  return std::all_of(asked_.begin(), asked_.end(), [this](const auto& one) {
    if (!one.second.acknowledged) return true;
    const auto state = world_.StateOf(*one.second.id);
    return state && delivery::IsOverForUser(static_cast<delivery::State>(state->state()));
  });
}

PairRunReport RunPairSeed(const PairRunOptions& options) { return PairRun(options).Make(); }

std::vector<std::string> PairFaultKinds() {
  std::vector<std::string> kinds = NamesOf(PairRun::Faults());
  kinds.emplace_back(kStray);
  for (std::string& kind : SmscFaultKinds()) kinds.push_back(std::move(kind));
  return kinds;
}

}  // namespace smsflow::sim
