// What must hold after every step of every life, whatever happened.
#include "tests/workflows/delivery/single_life.h"
#include "workflows/delivery/retry.h"

namespace smsflow::workflows::delivery {
namespace {

bool IsStored(const Decision& decision) {
  return decision.verdict == Verdict::kApplied || decision.verdict == Verdict::kNoted;
}

}  // namespace

void SingleLife::Expect(bool holds, std::string what) {
  if (!holds) broken_.push_back("step " + std::to_string(steps_.size() + 1) + ": " + std::move(what));
}

void SingleLife::Check(const Step& step) {
  const Decision& decision = step.decision;
  if (!IsStored(decision)) {
    Expect(decision.effects.empty() && decision.timers.empty() && decision.settled.empty(),
           "what is refused changes nothing");
    return;
  }
  for (const Effect& effect : decision.effects)
    if (effect.kind == EffectKind::kLease) CheckLease(step, effect);
  CheckRest(step);
}

void SingleLife::CheckLease(const Step& step, const Effect& lease) {
  const SmsView view = View();
  const auto end_s = DeadlineOf(view.slots, step.at_ms / 1000);
  Expect(end_s.has_value(), "I1: no attempt leaves outside its slots");
  if (end_s)
    Expect(lease.deadline_ms <= *end_s * 1000 && lease.deadline_ms > step.at_ms, "I2: the deadline is in the slot");
  Expect(view.due_ms <= step.at_ms, "I18: none leaves early");
  Expect(step.event.kind == kTimerFired && step.event.timer == kDueTimer,
         "a lease leaves through the gated timer only");
  Expect(!blocked, "no attempt leaves for a blocked target");
  Expect(view.stop == Stop::kNone, "no attempt follows a cancel or block that came too late");
  Expect(has_payload_, "what leaves has its payload");
  Expect(step.to == State::kInSlot, "what has left is IN_SLOT");
}

void SingleLife::CheckRest(const Step& step) {
  const State from = step.from, to = step.to;
  const bool moved = from != to;
  // I5, I6: ends.
  Expect(!(moved && from == State::kDelivered), "I5: DELIVERED absorbs");
  Expect(!(moved && IsEnd(from) && (to == State::kPending || to == State::kInSlot)),
         "I5: an end is never taken up again");
  Expect(!(moved && IsEnd(from) && step.event.kind != kReportEvent), "I5: only a report changes an end");
  if (moved && to == State::kDelivered) {
    Expect(!delivered_once_, "DELIVERED once");
    delivered_once_ = true;
    Expect(step.event.kind == kReportEvent || step.event.kind == kResolveEvent,
           "I6: someone said that it was delivered");
  }
  // I9: something will happen by itself.
  const auto live = [&](Timer timer) { return timers_.contains(timer); };
  if (to == State::kPending) Expect(live(kDueTimer) && live(kSlotEndTimer), "I9: PENDING has its timers");
  if (to == State::kInSlot) Expect(live(kSlotEndTimer) || live(kProbeTimer), "I9: IN_SLOT has a timer");
  if (to == State::kSent) Expect(live(kReceiptTimer) && timers_.size() == 1, "I9: SENT waits for its receipt only");
  if (IsEnd(to)) Expect(timers_.empty(), "an end has no timer");
  if (to == State::kUnknown || to == State::kUnconfirmed)
    Expect(has_payload_ == live(kKeepTimer), "a payload that is kept has a time to go");
  // Payload, retention, credit.
  if (IsEnd(to)) Expect(!has_payload_, "the payload goes at the end");
  Expect(ended_ == IsOverForUser(to) && retain_until_ms_.has_value() == ended_, "what is over has its retention");
  Expect(open_.size() <= 1 && (open_.empty() || to == State::kInSlot), "credit is held in IN_SLOT only");
  if (to == State::kInSlot) Expect(open_.size() == 1, "what is IN_SLOT holds its credit");
  Expect(View().attempts == leases_, "I4: attempts and leases are the same");
}

}  // namespace smsflow::workflows::delivery
