// What goes wrong in a run.
#include <cstdlib>

#include "tests/sim/run.h"

namespace smsflow::sim {

std::string MetName(const std::string& fault, delivery::State state) {
  return "met " + std::string(delivery::NameOf(state)) + ", " + fault;
}

// The engine sends a lease or a probe of an attempt that is in flight, and of no other; that its SMS has come further
// when the wire loses, doubles or swaps it takes that somebody else ended it in that very moment: 64 times in a
// thousand seeds, of all states but this one together.
bool CanMeet(const std::string& fault, delivery::State state) {
  if (state == delivery::State::kNew) return false;
  return fault.rfind("a lease or a probe ", 0) != 0 || state == delivery::State::kInSlot;
}

void Run::Met(const std::string& fault) {
  Hit("fault " + fault);
  for (const auto& [id, known] : ledger_->instances())
    if (known.changed_in == ledger_->life()) Hit(MetName(fault, static_cast<delivery::State>(known.state.state())));
}

void Run::MetOne(const std::string& fault, const InstanceId& id) {
  Hit("fault " + fault);
  if (const delivery::State state = StateSeen(id); CanMeet(fault, state)) Hit(MetName(fault, state));
}

void Run::DiskFault(const std::string& fault) {
  constexpr std::string_view kWriteFails = "a write fails";
  Met(fault);
  if (fault.rfind(kWriteFails, 0) == 0) Met(std::string(kWriteFails));
}

bool Run::Fault() {
  int weights = 0;
  for (const Choice& fault : faults_) weights += fault.weight;
  if (weights == 0 || Pick(3) == 0) return false;
  int what = Pick(weights);
  for (const Choice& fault : faults_) {
    what -= fault.weight;
    if (what >= 0) continue;
    if (played_.without.contains(fault.name)) return false;
    Trace(static_cast<std::uint64_t>(1'000 + (&fault - faults_.data())));
    Tell(std::string("  ") + fault.name);
    return (this->*fault.make)();
  }
  return false;
}

bool Run::CutLink() {
  ModelGateway& gateway = AnyGateway();
  if (!gateway.attached()) return false;
  Met("a link is cut");
  gateway.CutLink();
  return true;
}
bool Run::GatewayDies() {
  ModelGateway& gateway = AnyGateway();
  if (!gateway.attached() && gateway.idle()) return false;  // it does nothing that could end
  Met("a gateway dies");
  gateway.Die();
  return true;
}
bool Run::StoreIsLost() {
  ModelGateway& gateway = AnyGateway();
  const bool had_any = !gateway.Known().empty();
  if (had_any) Met("a gateway's store is lost");
  gateway.LoseStore();
  return had_any;
}
bool Run::StoreIsFound() {
  std::vector<ModelGateway*> lost;
  for (const auto& gateway : gateways_)
    if (gateway->has_lost_store()) lost.push_back(gateway.get());
  if (lost.empty()) return false;
  Met("a lost store is found again");
  lost[static_cast<std::size_t>(Pick(static_cast<int>(lost.size())))]->BringStoreBack();
  return true;
}

bool Run::TwoStreams() {
  ModelGateway& gateway = AnyGateway();
  if (!gateway.attached()) gateway.Attach(*world_.engine);
  gateway.AttachAgain(*world_.engine);
  Met("two streams of one store");
  Rounds();
  if (Pick(2) == 0) gateway.DropOlderStream();
  return true;
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
bool Run::Lie() {
  using delivery::Reported;
  const auto tell = [this](const std::optional<Of>& any, Reported lie) {
    if (!any || !any->first->attached()) return false;
    Met("a gateway lies");
    any->first->Lie(any->second, lie);
    return true;
  };
  constexpr Reported kContradictions[] = {Reported::kAccepted, Reported::kUnknown, Reported::kSent};
  const int how = Pick(5);
  if (how < 2) {
    const Reported lie = kContradictions[Pick(3)];
    if (tell(OneOf(&ModelGateway::Denied), lie)) return true;
  }
  if (how == 2 || how == 3) {
    const auto any = OneOf(&ModelGateway::Open, delivery::State::kInSlot);
    if (any && Pick(2) == 0) StopNow(any->second.instance);
    if (!tell(any, Reported::kNeverSeen)) return false;
    if (Pick(4) == 0) return true;
    Rounds();  // what follows from it has happened when the gateway knows better
    tell(any, kContradictions[Pick(3)]);
    return true;
  }
  const Reported lie = Pick(4) == 0 ? Reported::kDelivered : static_cast<Reported>(1 + Pick(9));
  return tell(OneOf(&ModelGateway::Known), lie);
}

bool Run::Crash() {
  Met("the engine is killed");
  if (Pick(8) == 0) ClockJumpsWhileDown();
  Restart();
  return true;
}

// This and what befalls the disk happens when the store is used, if it is, and is counted there.
bool Run::PowerCut() {
  const int in = 1 + Pick(4), when = Pick(3);
  if (when == 0) {
    disk_.power_cut_in = in;
    return false;
  }
  world_.store->power_cut_at = world_.store->writes + in;
  world_.store->after_write = when == 1;
  return false;
}

// All that becomes due meanwhile is overdue at once, also several timers of one SMS.
bool Run::Downtime() {
  Met("the engine is down for long");
  for (const auto& gateway : gateways_) gateway->CutLink();
  world_.engine.reset();
  waiting_.clear();
  Pass((2 + Pick(40)) * kMinuteMs);
  if (Pick(3) == 0) ClockJumpsWhileDown();
  int several = 0;
  for (const auto& [id, known] : ledger_->instances()) {
    int overdue = 0;
    for (const auto& timer : known.state.timers())
      overdue += !timer.gated() && timer.due_ms() <= world_.clock.wall_ms ? 1 : 0;
    several += overdue > 1 ? 1 : 0;
  }
  if (several != 0) Hit("event two open timers of one SMS overdue at once");
  Restart();
  return true;
}

bool Run::DiskFills() {
  disk_.full = true;
  return false;
}

bool Run::WriteFails() {
  disk_.write_error_in = 1 + Pick(3);
  disk_.write_happens = Pick(2) == 0;
  return false;
}

bool Run::ReadFails() {
  disk_.read_error_in = 1 + Pick(20);
  return false;
}
bool Run::SlowSync() {
  disk_.slow_ms = 500 + Pick(90'000);
  disk_.meanwhile = [this] { Meanwhile(); };
  return false;
}

// From a second to a day and a half, each power of two as often, and one in six at the very bound of what the guard
// lets pass: what is smaller the engine believes, and all that follows is by its clock.
std::int64_t Run::AnyJump() {
  if (Pick(6) == 0) return clock_jump_ms_ - 2 + Pick(5);
  const std::int64_t least_ms = std::int64_t{1'000} << Pick(17);
  return least_ms + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(least_ms));
}

// In either direction, but never so far off that a run ends before it is over.
void Run::Jump(std::int64_t by_ms) {
  constexpr std::int64_t kFarthestMs = 3 * 24 * 60 * kMinuteMs;
  const bool ahead = Pick(2) == 0;
  if (std::abs(skew_ms() + (ahead ? by_ms : -by_ms)) > kFarthestMs) return;
  Met("the clock jumps");
  Met(ahead ? "the clock jumps ahead" : "the clock jumps back");
  world_.clock.wall_ms += ahead ? by_ms : -by_ms;
  Tell(std::string("  by ") + (ahead ? "" : "-") + std::to_string(by_ms) + " ms");
}

bool Run::ClockJumps() {
  if (std::abs(skew_ms()) > 10'000 && Pick(3) != 0) {
    Hit("event the clock jumps back to the truth");
    world_.clock.wall_ms = true_ms();
    return false;
  }
  const bool was_wrong = IsWrong();
  Jump(AnyJump());
  if (!was_wrong) Hit(IsWrong() ? "event a jump of the clock is noticed" : "event a jump of the clock is believed");
  return true;
}

// Nobody compares it with another clock then; what is stored is all that the engine has.
void Run::ClockJumpsWhileDown() {
  if (played_.without.contains("the clock jumps")) return;
  Hit("event the clock jumps while the engine is down");
  Jump(AnyJump());
}

bool Run::ClockIsTrusted() {
  // A person is asked when something is wrong. Where clocks are the theme it is made so: nobody puts it right later.
  if (theme_ == Theme::kClocks && !IsWrong()) {
    const std::int64_t far_ms = Pick(4) == 0 ? 48 * 60 * kMinuteMs : 3 * 60 * kMinuteMs;
    Jump(2 * clock_jump_ms_ + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(far_ms)));
    Settle();  // what ended just before is seen, for once the clock is trusted it may be old enough to go
  }
  const bool was_wrong = IsWrong();
  if (was_wrong) {
    Met("the clock is trusted by hand");
    Hit(trusted_skew_ms_ && skew_ms() > *trusted_skew_ms_ ? "event a clock ahead is trusted"
                                                          : "event a clock behind is trusted");
  }
  world_.engine->TrustClock();
  trusted_skew_ms_ = skew_ms();
  return was_wrong;
}

bool Run::DiskGuard() {
  disk_guard_ = !disk_guard_;
  world_.engine->SetDiskGuard(disk_guard_);
  if (disk_guard_) Met("the disk guard is on");
  return disk_guard_;
}

bool Run::Drain() {
  draining_ = !draining_;
  world_.engine->Drain(draining_);
  if (draining_) Met("the engine drains");
  return draining_;
}

}  // namespace smsflow::sim
