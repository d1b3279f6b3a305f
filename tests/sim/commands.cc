// What clients, operators and gateways do in a run.
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "tests/sim/names.h"
#include "tests/sim/run.h"

namespace smsflow::sim {
namespace {

std::string Fingerprint(const std::string& content) {
  std::string fingerprint = content.substr(0, 16);
  fingerprint.resize(16, 'f');
  return fingerprint;
}
constexpr const char* kLanes[] = {"", "", "k1", "k2"};  // "k2" is opened by the gateways of all keys alone

}  // namespace

bool Run::Schedule() {
  if (!skewed() || Pick(small_one_in_) == 0) {
    Ask(NewSms(Tenant(skewed() ? (large_ + 1 + Pick(2)) % 3 : Pick(3))), /*again=*/false);
    return true;
  }
  for (int left = burst_; left > 0; --left) Ask(NewSms(Tenant(large_)), /*again=*/false);
  return true;
}

std::string Run::NewSms(const std::string& tenant, const std::string& key) {
  delivery::Schedule schedule;
  // In a theme, most of them leave soon and have time to be tried again.
  const bool soon = themed() && Pick(busy() ? 4 : 2) != 0;
  const std::int64_t from_s = true_ms() / 1000 - 90 + Pick(soon ? 90 : 600);
  schedule.fixed.slots = {{from_s, from_s + (soon ? 200 : 20) + Pick(600)}};
  if (Pick(2) == 0) schedule.fixed.slots.push_back({from_s + 900, from_s + 1'000 + Pick(600)});
  if (Pick(6) == 0) schedule.fixed.slots.push_back({from_s + 2'000, from_s + 2'010 + Pick(900)});
  schedule.fixed.batch = Pick(4) == 0 ? "" : Batch(Pick(3));
  schedule.fixed.key = Pick(4) == 0 ? "" : ClientKey(std::to_string(Pick(5)));
  if (!key.empty()) schedule.fixed.key = key;
  schedule.fixed.key_id = kLanes[Pick(4)];

  const std::string name = "sms" + std::to_string(next_name_++);
  Sms& sms = asked_[name];
  sms.batch = schedule.fixed.batch;
  sms.key = schedule.fixed.key;
  sms.request.workflow = delivery::kWorkflowNumber;
  sms.request.tenant = tenant;
  if (Pick(6) != 0) sms.request.target = Target(Pick(themed() ? 20 : 8));
  if (Pick(6) != 0) {
    sms.request.dedupe_key = RequestKey(name);
    sms.request.fingerprint = Fingerprint(name);
  }
  sms.request.payload = std::string(kPayloadMark) + name + ":1";
  sms.request.event = delivery::EncodeSchedule(schedule);
  sms.versions = {{schedule.fixed.slots, sms.request.payload, schedule.fixed.key_id}};
  return name;
}

void Run::Ask(const std::string& name, bool again) {
  Tell("  " + name + " of tenant " + asked_[name].request.tenant);
  const bool refused_for_disk = disk_guard_, refused_for_drain = draining_;
  engine::CreateRequest request = asked_[name].request;
  const bool existed = asked_[name].acknowledged;
  world_.engine->Create(std::move(request), [=, this](const engine::Answer& answer) {
    if (refused_for_disk || refused_for_drain) {
      Hit("check I20 new work is refused");
      if (answer.status.ok()) Violated("I20: " + name + " was taken though new work was to be refused");
    }
    if (absl::IsResourceExhausted(answer.status) && !refused_for_disk) {
      Hit("event a full queue refuses a new SMS");
      if (!fills()) Violated("I20: " + name + " was refused by an empty queue");
    }
    if (answer.status.ok()) TakenAs(name, answer, again, existed);
  });
}

void Run::TakenAs(const std::string& name, const engine::Answer& answer, bool again, bool existed) {
  Sms& sms = asked_[name];
  ++report_.scheduled;
  Hit("check I10 one request is one SMS");
  // One that was erased meanwhile has given its key back.
  const bool erased = sms.id && !world_.StateOf(*sms.id) && MayBeErased(*sms.id);
  if (sms.id && *sms.id != answer.id && !erased)
    Violated("I10: " + name + " is " + sms.id->ToString() + " and " + answer.id.ToString());
  if (again && existed && !answer.duplicate && !erased)
    Violated("I10: " + name + " was made again, its key was forgotten");
  const auto [it, fresh] = names_.emplace(answer.id, name);
  if (!fresh && it->second != name) Violated("I4: " + answer.id.ToString() + " was given twice");
  sms.id = answer.id;
  sms.acknowledged = true;
}

// The same request once more, as after a lost answer; or one that only bears its key.
bool Run::ScheduleAgain() {
  const auto* entry = AnySms();
  if (entry == nullptr || entry->second.request.dedupe_key.empty()) return false;
  const auto& [name, sms] = *entry;
  if (sms.acknowledged && !world_.StateOf(*sms.id)) return false;  // erased: its key is free again
  if (!sms.acknowledged || Pick(2) == 0) {
    Hit(sms.acknowledged ? "event asked again after the answer" : "event asked again without an answer");
    Ask(name, /*again=*/true);
    return true;
  }
  // Whose time is over may be erased before the request is looked at; then it would be taken, and rightly.
  if (MayBeErased(*sms.id)) return false;
  engine::CreateRequest other = sms.request;
  other.fingerprint = Fingerprint("another");
  const bool refused = disk_guard_ || draining_;
  world_.engine->Create(std::move(other), [=, this](const engine::Answer& answer) {
    Hit("check I10 a key is not taken for another request");
    if (!refused && answer.status.code() != absl::StatusCode::kAlreadyExists &&
        answer.status.code() != absl::StatusCode::kUnavailable && !RefusedByQueue(answer.status))
      Violated("I10: the key of " + name + " was taken for another request: " + answer.status.ToString());
  });
  return true;
}

bool Run::MoveTime() {
  const int how = Pick(busy() ? 90 : 100);  // nothing is in flight any more after a long time
  if (how < 72)
    Pass(Pick(5'000));
  else if (how < 97)
    Pass(Pick(5 * 60'000));
  else
    Pass((10 + Pick(40)) * kMinuteMs);
  if (Pick(60) == 0) {
    world_.clock.wall_ms -= Pick(2'000);  // a small step back, as a time daemon makes it
    Met("a small step of the clock back");
  }
  return true;
}

// A command at the very moment at which a timer of its SMS falls due: neither has been looked at when both are there.
void Run::MeetATimer() {
  met_.clear();
  if (Pick(6) != 0) return;
  const auto* entry = AnySms();
  if (entry == nullptr || !entry->second.acknowledged) return;
  const auto known = ledger_->instances().find(*entry->second.id);
  if (known == ledger_->instances().end()) return;
  std::int64_t due_ms = 0;
  for (const auto& timer : known->second.state.timers())
    if (timer.due_ms() > world_.clock.wall_ms && (due_ms == 0 || timer.due_ms() < due_ms)) due_ms = timer.due_ms();
  if (due_ms == 0 || due_ms - world_.clock.wall_ms > 20 * kMinuteMs) return;
  Hit("event a command meets a timer that falls due");
  const int late = Pick(2);
  Pass(due_ms - world_.clock.wall_ms + late * Pick(500));
  met_ = entry->first;
}

// An operator who looks now and then, so that what stops everything does not stop it for the rest of a run.
void Run::Help() {
  if (draining_) Drain();
  if (disk_guard_) DiskGuard();
  if (theme_ != Theme::kClocks && std::abs(skew_ms()) > kMinuteMs) {
    world_.clock.wall_ms = true_ms();
    if (IsWrong()) {  // the one of before was believed
      ClockIsTrusted();
      Settle();  // it is trusted as it is when the engine looks
    }
  }
  if (!paused_.empty()) ResumeAll();
  for (const auto& gateway : gateways_)
    if (!gateway->attached()) gateway->Attach(*world_.engine);
}

bool Run::StepGateway() {
  ModelGateway& gateway = AnyGateway();
  if (!gateway.attached()) gateway.Attach(*world_.engine);
  bool worked = false;
  for (int i = Pick(themed() ? 12 : 6); i >= 0; --i) worked |= gateway.Step(true_ms());
  return worked;
}

const std::pair<const std::string, Sms>* Run::AnySms() {
  if (asked_.empty()) return nullptr;
  if (!met_.empty()) return &*asked_.find(met_);
  const auto any = [this] { return &*std::next(asked_.begin(), Pick(static_cast<int>(asked_.size()))); };
  if (Pick(4) == 0) return any();
  // A state first, so that the rare ones meet as much as the common ones; to wait for a retry is one of its own.
  std::map<std::pair<delivery::State, bool>, std::vector<const std::pair<const std::string, Sms>*>> found;
  for (const auto& entry : asked_)
    if (entry.second.acknowledged) found[{StateSeen(*entry.second.id), Left(*entry.second.id)}].push_back(&entry);
  if (found.empty()) return any();
  const auto& chosen = std::next(found.begin(), Pick(static_cast<int>(found.size())))->second;
  return chosen[static_cast<std::size_t>(Pick(static_cast<int>(chosen.size())))];
}

// As its journal says, which was read to its end after the last step.
delivery::State Run::StateSeen(const InstanceId& id) const {
  const auto known = ledger_->instances().find(id);
  return known == ledger_->instances().end() ? delivery::State::kNew
                                             : static_cast<delivery::State>(known->second.state.state());
}

bool Run::Left(const InstanceId& id) const {
  const auto known = ledger_->instances().find(id);
  return known != ledger_->instances().end() && known->second.state.effects() != 0;
}

// One that is in flight, if there is any: that is where commands come too late.
const std::pair<const std::string, Sms>* Run::OneInFlight() {
  if (!met_.empty()) return AnySms();
  std::vector<const std::pair<const std::string, Sms>*> found;
  for (const auto& entry : asked_) {
    if (!entry.second.acknowledged) continue;
    const auto known = ledger_->instances().find(*entry.second.id);
    if (known == ledger_->instances().end()) continue;
    if (known->second.state.effects() != 0 && known->second.state.ended_ms() == 0) found.push_back(&entry);
  }
  return found.empty() ? AnySms() : found[static_cast<std::size_t>(Pick(static_cast<int>(found.size())))];
}

std::vector<std::string> Run::Matching(const std::function<bool(const Sms&)>& wanted) const {
  std::vector<std::string> names;
  for (const auto& [name, sms] : asked_)
    if (sms.acknowledged && wanted(sms)) names.push_back(name);
  return names;
}

// No attempt may leave beyond those that have left by now, in the durable state.
void Run::Stopped(Sms& sms, const std::string& by) {
  const auto state = world_.StateOf(*sms.id);
  if (!state) return;
  Hit("check I5 what was stopped leaves no more");  // looked at whenever one leaves
  sms.stopped_by = by + " at " + std::to_string(world_.clock.wall_ms);
  sms.attempts_max = std::min(sms.attempts_max.value_or(state->effects()), state->effects());
}

void Run::Stopping(const InstanceId& id) {
  stopped_now_.insert(id);
  if (reported_now_.count(id) != 0) Hit("event a stop and a report of one SMS are queued together");
}

void Run::Reporting(const AttemptId& attempt, delivery::Reported reported) {
  delivery::Result& said = said_[attempt];
  said = delivery::Join(said, delivery::ResultOf(reported));
  reported_now_.insert(attempt.instance);
  if (stopped_now_.count(attempt.instance) != 0) Hit("event a stop and a report of one SMS are queued together");
}

void Run::Send(engine::EventRequest request, engine::Done done) {
  asked_for_.One(request);
  world_.engine->Send(std::move(request), std::move(done));
}

bool Run::Cancel() {
  const auto* entry = Pick(themed() ? 2 : 3) == 0 ? OneInFlight() : AnySms();
  if (entry == nullptr || !entry->second.acknowledged) return false;
  const std::string name = entry->first;
  const Sms& sms = entry->second;
  Tell("  " + name);
  Stopping(*sms.id);
  Send({*sms.id, sms.request.tenant, "sim", delivery::EncodeCancel(), std::nullopt},
       [this, name](const engine::Answer& answer) {
         Sms& told = asked_[name];
         const auto outcome = static_cast<delivery::Outcome>(answer.outcome);
         const auto state = world_.StateOf(*told.id);
         Hit("check I5 what was told to be over is over");
         const bool over = outcome == delivery::Outcome::kCanceled || outcome == delivery::Outcome::kAlreadyEnded;
         const auto now = static_cast<delivery::State>(state ? state->state() : 0);
         if (over && (now == delivery::State::kPending || now == delivery::State::kInSlot))
           Violated("I5: " + told.id->ToString() + " was told to be over, and it is not");
         if (outcome != delivery::Outcome::kCanceled && outcome != delivery::Outcome::kTooLate) return;
         Stopped(told, "cancel");
         told.stopped_unsent |= outcome == delivery::Outcome::kCanceled && told.attempts_max.value_or(1) == 0;
       });
  return true;
}

bool Run::Reschedule() {
  const auto* entry = AnySms();
  if (entry == nullptr || !entry->second.acknowledged) return false;
  const std::string name = entry->first;
  Sms& sms = asked_[name];
  if (std::exchange(sms.rescheduled_at, step_) == step_) return false;  // what stands then would be hard to tell
  Tell("  " + name);
  delivery::Reschedule change;
  std::optional<std::string> payload;
  const int what = Pick(3);
  if (what != 1) {
    const std::int64_t from_s = true_ms() / 1000 - 200 + Pick(500);
    change.slots = delivery::Slots{{from_s, from_s + 60 + Pick(300)}};
  }
  if (what != 0) {
    change.payload = true;
    change.key_id = kLanes[Pick(4)];
    payload = std::string(kPayloadMark) + name + ":" + std::to_string(2 + Pick(1'000));
  }
  // Until it is answered, each version may be the one that stands, changed or not.
  std::vector<Version> changed = sms.versions;
  for (Version& version : changed) {
    if (change.slots) version.slots = *change.slots;
    if (payload) version.payload = *payload;
    if (payload) version.lane = change.key_id;
  }
  const std::vector<Version> before = sms.versions;
  sms.versions.insert(sms.versions.end(), changed.begin(), changed.end());
  Send({*sms.id, sms.request.tenant, "sim", delivery::EncodeReschedule(change), payload},
       [=, this](const engine::Answer& answer) {
         if (absl::IsUnavailable(answer.status)) return;
         Hit(answer.status.ok() ? "event rescheduled" : "event not rescheduled");
         asked_[name].versions = answer.status.ok() ? changed : before;
       });
  return true;
}

bool Run::Resolve() {
  std::vector<std::string> unknown;
  for (const auto& [name, sms] : asked_) {
    if (sms.acknowledged && StateSeen(*sms.id) == delivery::State::kUnknown) unknown.push_back(name);
  }
  const auto* any = AnySms();
  if (any == nullptr || !any->second.acknowledged) return false;
  const std::string name = unknown.empty() || Pick(2) == 0
                               ? any->first
                               : unknown[static_cast<std::size_t>(Pick(static_cast<int>(unknown.size())))];
  Tell("  " + name);
  const auto how = static_cast<delivery::How>(1 + Pick(3));
  Send({*asked_[name].id, "", "operator", delivery::EncodeResolve(how), std::nullopt}, [](const engine::Answer&) {});
  return true;
}

// Mostly one that waits for a retry: of the others that wait, no slot is open.
bool Run::LookNow() {
  std::vector<const std::pair<const std::string, Sms>*> waiting;
  for (const auto& one : asked_)
    if (one.second.acknowledged && StateSeen(*one.second.id) == delivery::State::kPending && Left(*one.second.id))
      waiting.push_back(&one);
  const auto* entry = waiting.empty() || Pick(3) == 0
                          ? AnySms()
                          : waiting[static_cast<std::size_t>(Pick(static_cast<int>(waiting.size())))];
  if (entry == nullptr || !entry->second.acknowledged) return false;
  const InstanceId id = *entry->second.id;
  const auto looked_at = WaitInAnOpenSlot([&](const Sms& sms) { return *sms.id == id; });
  Send({id, entry->second.request.tenant, "sim", delivery::EncodeLookNow(), std::nullopt},
       [this, looked_at](const engine::Answer& answer) {
         if (answer.status.ok()) LookedAtAll(looked_at);
       });
  return true;
}

bool Run::TogglePause() {
  engine::PauseRequest pause;
  pause.resume = Pick(2) == 0;
  switch (Pick(4)) {
    case 0:
      Hit("command pause all");
      pause.scope = storage::PauseScope::kAll;
      break;
    case 1:
      Hit("command pause a tenant");
      pause.scope = storage::PauseScope::kTenant;
      pause.tenant = Tenant(Pick(3));
      break;
    case 2:
      Hit("command pause a gateway");
      pause.scope = storage::PauseScope::kGateway;
      pause.value = AnyGateway().site().name;
      break;
    default:
      Hit("command pause a batch");
      pause.scope = storage::PauseScope::kIndexValue;
      pause.tenant = Tenant(Pick(3));
      pause.index = delivery::kBatchIndex;
      pause.value = Batch(Pick(3));
      break;
  }
  AskPause(std::move(pause));
  return true;
}

void Run::AskPause(engine::PauseRequest pause) {
  const Scope scope{pause.scope, pause.tenant, pause.value};
  const int number = ++pauses_asked_;
  if (pause.resume) {  // from now on it may be at any time
    resumed_at_[scope] = number;
    paused_.erase(scope);
    world_.engine->Pause(std::move(pause), [this, scope, number](const absl::Status& status, bool) {
      const auto asked = may_be_paused_.find(scope);
      if (status.ok() && asked != may_be_paused_.end() && asked->second < number) may_be_paused_.erase(asked);
    });
    return;
  }
  may_be_paused_[scope] = number;
  world_.engine->Pause(std::move(pause), [this, scope, number](const absl::Status& status, bool) {
    if (status.ok() && resumed_at_[scope] < number) paused_.insert(scope);
  });
}

// Why an SMS waits, asked beside all else; whatever the disk does, the engine goes on.
bool Run::Explain() {
  const auto* entry = AnySms();
  if (entry == nullptr || !entry->second.acknowledged) return false;
  const int errors = disk_.errors;
  const auto reasons = world_.engine->Explain(*entry->second.id);
  const bool unreadable = disk_.errors != errors;
  disk_.errors = errors;
  if (!reasons.ok() && !unreadable && !absl::IsNotFound(reasons.status()))
    Violated("why " + entry->second.id->ToString() + " waits could not be told: " + reasons.status().ToString());
  return reasons.ok();
}

// What a carrier learns of an attempt that was SENT or UNKNOWN, at a time when its SMS may be in any state.
bool Run::LateNews() {
  const auto any = OneOf(&ModelGateway::Undecided);
  if (!any) return false;
  const auto& [gateway, attempt] = *any;
  if (!gateway->attached()) gateway->Attach(*world_.engine);
  gateway->LearnLate(attempt);
  return true;
}

// Of the attempts that gateways name, by the state of their SMS first, so that the rare ones meet as much as the
// common; of the state that is asked for, if there is any.
std::optional<Run::Of> Run::OneOf(std::vector<AttemptId> (ModelGateway::*which)() const, delivery::State rather) {
  std::map<delivery::State, std::vector<Of>> found;
  for (const auto& gateway : gateways_)
    for (const AttemptId& attempt : ((*gateway).*which)())
      found[StateSeen(attempt.instance)].emplace_back(gateway.get(), attempt);
  if (found.empty()) return std::nullopt;
  if (const auto met = asked_.find(met_); met != asked_.end() && met->second.id)
    for (const auto& [state, all] : found)
      for (const Of& one : all)
        if (one.second.instance == *met->second.id) return one;
  const auto asked_for = found.find(rather);
  const auto& all = asked_for != found.end() ? asked_for->second
                                             : std::next(found.begin(), Pick(static_cast<int>(found.size())))->second;
  // The latest attempt decides, so mostly that.
  std::vector<Of> latest;
  for (const Of& one : all) {
    const auto known = ledger_->instances().find(one.second.instance);
    if (known != ledger_->instances().end() && known->second.state.effects() == one.second.number)
      latest.push_back(one);
  }
  const auto& chosen = latest.empty() || Pick(4) == 0 ? all : latest;
  return chosen[static_cast<std::size_t>(Pick(static_cast<int>(chosen.size())))];
}

// I15: another tenant's id is as unknown as one that never was.
bool Run::ForeignCommand() {
  const auto* entry = AnySms();
  if (entry == nullptr || !entry->second.acknowledged) return false;
  const std::string name = entry->first;
  const std::string other = entry->second.request.tenant == "a" ? "b" : "a";
  world_.engine->Send({*entry->second.id, other, "sim", delivery::EncodeCancel(), std::nullopt},
                      [this, name](const engine::Answer& answer) {
                        if (absl::IsUnavailable(answer.status) || RefusedByQueue(answer.status)) return;
                        Hit("check I15 a command of another tenant is not heard");
                        if (!absl::IsNotFound(answer.status))
                          Violated("I15: " + asked_[name].id->ToString() + " heard a command of another tenant");
                      });
  return true;
}

}  // namespace smsflow::sim
