#include "workflows/delivery/refusals.h"

namespace smsflow::workflows::delivery {
namespace {

void Say(StepResult& out, Outcome outcome, Refusal code, std::string_view reason) {
  out.verdict = Verdict::kRefused;
  out.outcome = outcome;
  out.code = code;
  out.reason = reason;
}

struct Refuser {
  const State state;
  StepResult& out;

  void operator()(const Schedule&) const {
    Say(out, Outcome::kNone, Refusal::kFailedPrecondition, "it is scheduled already");
  }
  void operator()(const Report&) const {
    out.verdict = Verdict::kNoted;
    out.outcome = Outcome::kNoted;
  }
  void operator()(const Cancel&) const { Settled(); }
  void operator()(const Block&) const { Settled(); }
  void operator()(const Reschedule&) const {
    if (state == State::kPending)
      Say(out, Outcome::kNoSlotLeft, Refusal::kFailedPrecondition, "no slot is left");
    else if (IsEnd(state))
      Say(out, Outcome::kAlreadyEnded, Refusal::kFailedPrecondition, "it has ended");
    else
      Say(out, Outcome::kTooLate, Refusal::kFailedPrecondition, "an attempt has left");
  }
  void operator()(const Resolve&) const {
    if (state == State::kUnknown)
      Say(out, Outcome::kNoSlotLeft, Refusal::kFailedPrecondition, "no slot is left, or it was canceled or blocked");
    else
      Say(out, Outcome::kNotUnknown, Refusal::kFailedPrecondition, "only what is UNKNOWN can be resolved");
  }
  void operator()(const LookNow&) const {
    const bool waits = state == State::kPending;
    Say(out, Outcome::kNotNow, Refusal::kNone,
        waits ? "no slot is open, or it is due already" : "it waits for no slot");
  }
  // TimerFired, PeerLost: nobody waits for an answer.
  template <class OfTheKernel>
  void operator()(const OfTheKernel&) const {
    out.verdict = Verdict::kIgnored;
  }

 private:
  // Not an error for its sender: the outcome tells.
  void Settled() const {
    if (IsEnd(state))
      Say(out, Outcome::kAlreadyEnded, Refusal::kNone, "it has ended");
    else
      Say(out, Outcome::kTooLate, Refusal::kNone, "an attempt has left");
  }
};

}  // namespace

void Refuse(Moment& moment) {
  if (moment.in.state == State::kNew)
    Say(moment.out, Outcome::kNone, Refusal::kNotFound, "it was never scheduled");
  else
    std::visit(Refuser{moment.in.state, moment.out}, moment.event);
}

}  // namespace smsflow::workflows::delivery
