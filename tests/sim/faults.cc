// What goes wrong in a run.
#include <cstdlib>

#include "tests/sim/run.h"

namespace smsflow::sim {

std::string MetName(const std::string& fault, delivery::State state) {
  return "met " + std::string(delivery::NameOf(state)) + ", " + fault;
}

void Run::Fault() {
  int weights = 0;
  for (const Choice& fault : faults_) weights += fault.weight;
  if (weights == 0 || Pick(3) == 0) return;
  int what = Pick(weights);
  for (const Choice& fault : faults_) {
    what -= fault.weight;
    if (what >= 0) continue;
    Trace(static_cast<std::uint64_t>(1'000 + (&fault - faults_.data())));
    Tell(std::string("  ") + fault.name);
    Hit(std::string("fault ") + fault.name);
    for (const auto& [id, known] : ledger_->instances())
      if (!MayBeErased(id)) Hit(MetName(fault.name, static_cast<delivery::State>(known.state.state())));
    return (this->*fault.make)();
  }
}

void Run::CutLink() { AnyGateway().CutLink(); }
void Run::GatewayDies() { AnyGateway().Die(); }
void Run::StoreIsLost() { AnyGateway().LoseStore(); }
void Run::StoreIsFound() { AnyGateway().BringStoreBack(); }

void Run::TwoStreams() {
  ModelGateway& gateway = AnyGateway();
  if (!gateway.attached()) gateway.Attach(*world_.engine);
  gateway.AttachAgain(*world_.engine);
  Rounds();
  if (Pick(2) == 0) gateway.DropOlderStream();
}

void Run::StopNow(const InstanceId& id) {
  const auto name = names_.find(id);
  if (name == names_.end()) return;
  met_ = name->second;
  if (Pick(5) == 0)
    Cancel();
  else
    Block();
  met_.clear();
  Rounds();
}

// What contradicts itself needs two lies, of which chance would seldom tell the second in time.
void Run::Lie() {
  using delivery::Reported;
  const auto tell = [](const std::optional<Of>& any, Reported lie) {
    if (!any || !any->first->attached()) return false;
    any->first->Lie(any->second, lie);
    return true;
  };
  constexpr Reported kContradictions[] = {Reported::kAccepted, Reported::kUnknown, Reported::kSent};
  const int how = Pick(5);
  if (how < 2 && tell(OneOf(&ModelGateway::Denied), kContradictions[Pick(3)])) return;
  if (how == 2 || how == 3) {
    const auto any = OneOf(&ModelGateway::Open, delivery::State::kInSlot);
    if (any && Pick(2) == 0) StopNow(any->second.instance);
    if (!tell(any, Reported::kNeverSeen) || Pick(4) == 0) return;
    Rounds();  // what follows from it has happened when the gateway knows better
    tell(any, kContradictions[Pick(3)]);
    return;
  }
  tell(OneOf(&ModelGateway::Known), Pick(4) == 0 ? Reported::kDelivered : static_cast<Reported>(1 + Pick(9)));
}

void Run::Crash() { Restart(); }

void Run::PowerCut() {
  const int in = 1 + Pick(4), when = Pick(3);
  if (when == 0) {
    disk_.power_cut_in = in;
    return;
  }
  world_.store->power_cut_at = world_.store->writes + in;
  world_.store->after_write = when == 1;
}

// All that becomes due meanwhile is overdue at once, also several timers of one SMS.
void Run::Downtime() {
  for (const auto& gateway : gateways_) gateway->CutLink();
  world_.engine.reset();
  Pass((2 + Pick(40)) * kMinuteMs);
  int several = 0;
  for (const auto& [id, known] : ledger_->instances()) {
    int overdue = 0;
    for (const auto& timer : known.state.timers())
      overdue += !timer.gated() && timer.due_ms() <= world_.clock.wall_ms ? 1 : 0;
    several += overdue > 1 ? 1 : 0;
  }
  if (several != 0) Hit("event two open timers of one SMS overdue at once");
  Restart();
}

void Run::DiskFills() { disk_.full = true; }

void Run::WriteFails() {
  disk_.write_error_in = 1 + Pick(3);
  disk_.write_happens = Pick(2) == 0;
  Hit(disk_.write_happens ? "fault a write fails and happens" : "fault a write fails and does not happen");
}

void Run::ReadFails() { disk_.read_error_in = 1 + Pick(20); }
void Run::SlowSync() {
  disk_.slow_ms = 500 + Pick(90'000);
  disk_.meanwhile = [this] { Meanwhile(); };
}

// Far enough to be noticed, in either direction; it stays so until it is right again or a person trusts it.
void Run::ClockJumps() {
  if (skew_ms() > 10'000 || skew_ms() < -10'000) {
    Hit("event the clock jumps back to the truth");
    world_.clock.wall_ms = true_ms();
    return;
  }
  const std::int64_t far_ms = Pick(4) == 0 ? 48 * 60 * kMinuteMs : 3 * 60 * kMinuteMs;
  const std::int64_t by_ms = 6 * kMinuteMs + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(far_ms));
  const bool ahead = Pick(2) == 0;
  Hit(ahead ? "fault the clock jumps ahead" : "fault the clock jumps back");
  world_.clock.wall_ms += ahead ? by_ms : -by_ms;
}

void Run::ClockIsTrusted() {
  if (IsWrong())
    Hit(trusted_skew_ms_ && skew_ms() > *trusted_skew_ms_ ? "event a clock ahead is trusted"
                                                          : "event a clock behind is trusted");
  world_.engine->TrustClock();
  trusted_skew_ms_ = skew_ms();
}

void Run::DiskGuard() {
  disk_guard_ = !disk_guard_;
  world_.engine->SetDiskGuard(disk_guard_);
}

void Run::Drain() {
  draining_ = !draining_;
  world_.engine->Drain(draining_);
}

}  // namespace smsflow::sim
