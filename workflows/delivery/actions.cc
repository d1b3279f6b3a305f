#include "workflows/delivery/actions.h"

#include <algorithm>
#include <cassert>

#include "workflows/delivery/causes.h"

namespace smsflow::workflows::delivery {
namespace {

bool AttemptsLeft(const Moment& moment) {
  const std::uint32_t most = moment.in.policy.max_attempts;
  return most == 0 || moment.out.data.attempts < most;
}

void SetTimer(Moment& moment, Timer timer, std::int64_t due_ms) {
  moment.out.timers.push_back({timer, due_ms, false, {}});
}

void SetPlan(Moment& moment, const Plan& plan) {
  moment.out.data.due_ms = plan.due_ms;
  moment.out.timers.push_back({kDueTimer, plan.due_ms, true, moment.fixed().key_id});
  SetTimer(moment, kSlotEndTimer, plan.deadline_ms);
}

// Every end: the payload goes at once, the rest at retention (which Step() sets).
void End(Moment& moment, std::string_view cause, Outcome outcome) {
  moment.out.erase_payload = moment.in.has_payload || moment.in.state == State::kNew;
  if (moment.out.cause.empty()) moment.out.cause = cause;
  if (moment.out.outcome == Outcome::kNone) moment.out.outcome = outcome;
}

// UNKNOWN and UNCONFIRMED: a late failure may start a retry for as long as a slot is left.
void KeepPayload(Moment& moment) {
  if (!moment.in.has_payload) return;
  const Slots& slots = moment.fixed().slots;
  const std::int64_t over_ms = slots.empty() ? 0 : slots.back().till_s * 1000;
  if (moment.out.data.stop == Stop::kNone && over_ms > moment.in.now_ms)
    SetTimer(moment, kKeepTimer, over_ms);
  else
    moment.out.erase_payload = true;
}

void Forbid(Moment& moment, Stop stop) {
  moment.out.data.stop = stop;
  moment.out.outcome = Outcome::kTooLate;
  moment.out.about = moment.out.data.attempts;
}

}  // namespace

namespace guards {

bool TargetBlocked(Moment& moment) { return moment.in.target_blocked; }
bool SlotLeft(Moment& moment) { return moment.next().has_value(); }
bool SlotOpen(Moment& moment) {
  return OpenWindow(moment.fixed().slots, moment.in.policy, moment.in.data.due_ms, moment.in.now_ms).has_value();
}
bool LastUnknown(Moment& moment) { return moment.out.data.Latest() == Result::kUnknown; }
bool NotStopped(Moment& moment) { return moment.out.data.stop == Stop::kNone; }
bool WasCanceled(Moment& moment) { return moment.out.data.stop == Stop::kCancel; }
bool WasBlocked(Moment& moment) { return moment.out.data.stop == Stop::kBlock; }

bool MayRetry(Moment& moment) {
  return NotStopped(moment) && moment.in.has_payload && AttemptsLeft(moment) && SlotLeft(moment);
}

bool RetryUnknown(Moment& moment) { return moment.in.policy.on_unknown == OnUnknown::kRetry && MayRetry(moment); }

bool RetryByHand(Moment& moment) {
  const auto plan = FirstWindow(moment.fixed().slots, moment.in.policy, moment.in.now_ms);
  if (!plan || !NotStopped(moment) || !moment.in.has_payload) return false;
  moment.set_next(WithJitter(*plan, moment.in.policy, moment.in.random));
  return true;
}

bool NewSlotLeft(Moment& moment) {
  const auto& asked = std::get<Reschedule>(moment.event);
  const Slots& slots = asked.slots ? *asked.slots : moment.in.fixed.slots;
  moment.set_next(NextAttempt(slots, moment.in.data, moment.in.policy, moment.in.now_ms, moment.in.random));
  return moment.next().has_value();
}

bool OpenNow(Moment& moment) {
  const std::int64_t now_ms = moment.in.now_ms;
  const auto plan = FirstWindow(moment.fixed().slots, moment.in.policy, now_ms);
  if (!plan || plan->due_ms != now_ms || moment.in.data.due_ms <= now_ms) return false;
  moment.set_next(plan);
  return true;
}

}  // namespace guards

namespace actions {

void Plan(Moment& moment) {
  SetPlan(moment, *moment.next());
  if (moment.in.state == State::kNew) moment.out.outcome = Outcome::kScheduled;
  if (std::holds_alternative<Resolve>(moment.event)) moment.out.outcome = Outcome::kResolved;
}

void SkipSlot(Moment& moment) {
  SetPlan(moment, *moment.next());
  moment.out.cause = cause::kSlotPassed;
}

void Leave(Moment& moment) {
  const auto window = OpenWindow(moment.fixed().slots, moment.in.policy, moment.in.data.due_ms, moment.in.now_ms);
  Data& data = moment.out.data;
  ++data.attempts;
  data.left_ms = moment.in.now_ms;
  data.deadline_ms = window->deadline_ms;
  data.probes = 0;
  data.results.push_back(Result::kNone);
  if (!data.noted.empty()) data.noted.push_back(0);
  if (data.results.size() > kResultsKept) {
    data.results.erase(data.results.begin());
    if (!data.noted.empty()) data.noted.erase(data.noted.begin());
  }
  moment.out.effects.push_back({EffectKind::kLease, data.attempts, data.deadline_ms, 0, {}});
  moment.out.about = data.attempts;
}

void Ask(Moment& moment) {
  Data& data = moment.out.data;
  const Policy& policy = moment.in.policy;
  const std::int64_t now_ms = moment.in.now_ms;
  const std::int64_t unknown_at_ms = std::max(UnknownAtMs(data, policy), now_ms + 1);
  if (!policy.dedupe) {  // an old gateway cannot be asked, only waited for
    SetTimer(moment, kProbeTimer, unknown_at_ms);
    return;
  }
  if (now_ms >= data.deadline_ms) ++data.probes;
  moment.out.effects.push_back({EffectKind::kProbe, data.attempts, data.deadline_ms, 0, {}});
  moment.out.about = data.attempts;
  const auto* fired = std::get_if<TimerFired>(&moment.event);
  assert(fired != nullptr);  // only timers ask
  const bool away = WasAway(policy, fired->due_ms, now_ms);
  const std::int64_t answer_by_ms = now_ms + std::max<std::int64_t>(policy.probe_ms, 1);
  SetTimer(moment, kProbeTimer, away ? answer_by_ms : std::min(NextProbeMs(data, policy, now_ms), unknown_at_ms));
}

void Listen(Moment& moment) {
  if (!moment.in.policy.dedupe) return;
  const std::int64_t next_ms = moment.in.now_ms + moment.in.policy.probe_ms;
  const std::int64_t unknown_at_ms = UnknownAtMs(moment.out.data, moment.in.policy);
  SetTimer(moment, kProbeTimer, std::max(std::min(next_ms, unknown_at_ms), moment.in.now_ms + 1));
}

void AwaitReceipt(Moment& moment) {
  SetTimer(moment, kReceiptTimer, moment.in.now_ms + moment.in.policy.ack_receipt_timeout_ms);
}

void Record(Moment&) {}

void Doubt(Moment& moment) {
  KeepPayload(moment);
  if (moment.out.cause.empty()) moment.out.cause = cause::kSlotPassed;  // a retry waited in vain
}

void MissReceipt(Moment& moment) {
  KeepPayload(moment);
  moment.out.cause = cause::kNoReceipt;
  moment.out.about = moment.out.data.attempts;
}

void Erase(Moment& moment) {
  moment.out.erase_payload = moment.in.has_payload;
  moment.out.verdict = Verdict::kNoted;
}

void Deliver(Moment& moment) {
  Data& data = moment.out.data;
  // One attempt was delivered while another is in flight: its outcome changes nothing any more.
  if (moment.in.state == State::kInSlot && IsOpen(data.Latest())) moment.out.settled.push_back(data.attempts);
  End(moment, {}, Outcome::kReported);
}

void Expire(Moment& moment) {
  Data& data = moment.out.data;
  std::string_view cause = cause::kNoSlot;
  if (data.attempts > 0 && !AttemptsLeft(moment)) cause = cause::kMaxAttempts;
  if (moment.in.state == State::kPending) cause = cause::kSlotPassed;
  // The cause of the last failure outlives the lack of slots.
  if (data.cause.empty()) data.cause = cause;
  data.due_ms = 0;
  End(moment, cause, moment.in.state == State::kNew ? Outcome::kScheduled : Outcome::kNone);
}

void MarkCanceled(Moment& moment) {
  moment.out.data.stop = Stop::kCancel;
  End(moment, cause::kCanceled, Outcome::kCanceled);
}

void MarkBlocked(Moment& moment) {
  moment.out.data.stop = Stop::kBlock;
  End(moment, cause::kBlocked, Outcome::kBlocked);
}

void Invalidate(Moment& moment) { End(moment, cause::kInvalid, Outcome::kReported); }

void ForbidByCancel(Moment& moment) { Forbid(moment, Stop::kCancel); }
void ForbidByBlock(Moment& moment) { Forbid(moment, Stop::kBlock); }

void Replan(Moment& moment) {
  const auto& asked = std::get<Reschedule>(moment.event);
  Fixed fixed = moment.in.fixed;
  if (asked.slots) {
    fixed.slots = *asked.slots;
    fixed.tzdata = asked.tzdata;
  }
  if (asked.payload) fixed.key_id = asked.key_id;
  const bool moved = fixed.slots != moment.in.fixed.slots || fixed.key_id != moment.in.fixed.key_id;
  if (moved) {
    moment.out.fixed = std::move(fixed);
    SetPlan(moment, *moment.next());
  }
  moment.out.take_payload = asked.payload;
  moment.out.outcome = Outcome::kRescheduled;
}

void Hurry(Moment& moment) {
  SetPlan(moment, *moment.next());
  moment.out.outcome = Outcome::kDueNow;
}

void GiveUp(Moment& moment) {
  moment.out.data.due_ms = 0;
  moment.out.about = moment.out.data.attempts;
  End(moment, cause::kGaveUp, Outcome::kResolved);
}

void ResolveDelivered(Moment& moment) {
  moment.out.about = moment.out.data.attempts;
  End(moment, cause::kResolved, Outcome::kResolved);
}

}  // namespace actions

}  // namespace smsflow::workflows::delivery
