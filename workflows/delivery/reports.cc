#include "workflows/delivery/reports.h"

#include "workflows/delivery/causes.h"

namespace smsflow::workflows::delivery {
namespace {

using signals::Signal;

Signal SignalOfResult(Result result) {
  switch (result) {
    case Result::kAccepted:
      return signals::Accepted{};
    case Result::kUnknown:
      return signals::Unknown{};
    case Result::kSent:
      return signals::Sent{};
    case Result::kFailedPermanent:
      return signals::FailedForGood{};
    case Result::kDelivered:
      return signals::Delivered{};
    default:
      return signals::Failed{};
  }
}

// Of a result that was raised to `after`.
std::string_view CauseOf(Result reported, Result after, std::string_view told) {
  // NEVER_SEEN and ACCEPTED met.
  if (after == Result::kUnknown && reported != Result::kUnknown) return cause::kContradiction;
  if (!told.empty()) return told;
  switch (after) {
    case Result::kNeverSeen:
      return cause::kNeverSeen;
    case Result::kUnknown:
      return cause::kUnknown;
    case Result::kFailedTransient:
      return cause::kFailed;
    case Result::kFailedPermanent:
      return cause::kInvalid;
    default:
      return {};
  }
}

std::optional<Signal> Noted(Moment& moment) {
  moment.out.verdict = Verdict::kNoted;
  moment.out.outcome = Outcome::kNoted;
  return std::nullopt;
}

// What is known already, or less than that: recorded once. Else a gateway that repeats itself would fill the disk.
std::optional<Signal> KnownBefore(Moment& moment, std::size_t index, Result learnt) {
  Data& data = moment.out.data;
  const auto bit = static_cast<std::uint8_t>(1U << static_cast<unsigned>(learnt));
  if (learnt == data.results[index] || (!data.noted.empty() && (data.noted[index] & bit) != 0)) {
    moment.out.outcome = Outcome::kNoted;
    return std::nullopt;
  }
  data.noted.resize(data.results.size());
  data.noted[index] = static_cast<std::uint8_t>(data.noted[index] | bit);
  return Noted(moment);
}

// Raises the result of `attempt`, which must have left, by what was learnt of it.
std::optional<Signal> Learn(Moment& moment, std::uint32_t attempt, Result learnt, std::string_view told) {
  StepResult& out = moment.out;
  Data& data = out.data;
  out.about = attempt;
  out.outcome = Outcome::kReported;
  const bool latest = attempt == data.attempts;
  const bool over = moment.in.state == State::kDelivered;  // settled as a whole; nothing can follow
  if (data.attempts - attempt >= data.results.size()) {
    // Too old to be kept: only DELIVERED still counts, and that needs no record but the state.
    if (learnt == Result::kDelivered && !over) return signals::Delivered{};
    out.outcome = Outcome::kNoted;
    return std::nullopt;
  }

  const std::size_t index = data.results.size() - 1 - (data.attempts - attempt);
  const Result before = data.results[index], after = Join(before, learnt);
  if (after == before) return KnownBefore(moment, index, learnt);
  data.results[index] = after;
  const std::string_view why = CauseOf(learnt, after, told);
  // Told of whichever attempt: somebody has to look at that gateway.
  if (why == cause::kContradiction) out.cause = why;
  if (!over && after == Result::kAccepted) out.accepted.push_back(attempt);
  if (!over && IsOpen(before) && !IsOpen(after)) out.settled.push_back(attempt);
  if (over || (!latest && after != Result::kDelivered)) return Noted(moment);

  out.cause = why;
  if (!out.cause.empty() && after != Result::kDelivered && after != Result::kSent) data.cause = out.cause;
  return SignalOfResult(after);
}

std::optional<Signal> OfReport(Moment& moment, const Report& report) {
  if (report.attempt == 0 || report.attempt > moment.in.data.attempts) {
    moment.out.verdict = Verdict::kRefused;
    moment.out.code = Refusal::kNotFound;
    moment.out.outcome = Outcome::kNoSuchAttempt;
    moment.out.reason = "no such attempt has left";
    return std::nullopt;
  }
  std::string_view told = report.cause;
  if (told.empty() && report.reported == Reported::kExpired) told = cause::kExpired;
  return Learn(moment, report.attempt, ResultOf(report.reported), told);
}

std::optional<Signal> OfPeerLost(Moment& moment, const PeerLost& lost) {
  const Data& data = moment.in.data;
  // Of an attempt whose result is known, nothing can get lost.
  if (moment.in.state != State::kInSlot || lost.attempt != data.attempts || !IsOpen(data.Latest())) return std::nullopt;
  return Learn(moment, lost.attempt, Result::kUnknown, cause::kPeerLost);
}

std::optional<Signal> OfTimer(Moment& moment, const TimerFired& fired) {
  switch (fired.timer) {
    case kDueTimer:
      return signals::Due{};
    case kSlotEndTimer:
      return signals::SlotEnd{};
    case kReceiptTimer:
      return signals::ReceiptOverdue{};
    case kKeepTimer:
      return signals::LastSlotOver{};
    case kProbeTimer:
      break;
  }
  if (fired.timer != kProbeTimer) return std::nullopt;
  const Data& data = moment.in.data;
  const Policy& policy = moment.in.policy;
  const bool over = moment.in.state == State::kInSlot && moment.in.now_ms >= UnknownAtMs(data, policy);
  const bool can_ask = policy.dedupe && WasAway(policy, fired.due_ms, moment.in.now_ms);
  if (over && !can_ask) return Learn(moment, data.attempts, Result::kUnknown, cause::kNoAnswer);
  return signals::Silence{};
}

Signal OfResolve(const Resolve& resolve) {
  if (resolve.how == How::kDelivered) return signals::ResolveDelivered{};
  if (resolve.how == How::kRetry) return signals::ResolveRetry{};
  return signals::GiveUp{};
}

}  // namespace

std::optional<Signal> SignalOf(Moment& moment) {
  struct Visitor {
    Moment& moment;
    std::optional<Signal> operator()(const Schedule&) const { return signals::Schedule{}; }
    std::optional<Signal> operator()(const Report& report) const { return OfReport(moment, report); }
    std::optional<Signal> operator()(const Cancel&) const { return signals::Cancel{}; }
    std::optional<Signal> operator()(const Block&) const { return signals::Block{}; }
    std::optional<Signal> operator()(const Reschedule&) const { return signals::Reschedule{}; }
    std::optional<Signal> operator()(const Resolve& resolve) const { return OfResolve(resolve); }
    std::optional<Signal> operator()(const LookNow&) const { return signals::LookNow{}; }
    std::optional<Signal> operator()(const TimerFired& fired) const { return OfTimer(moment, fired); }
    std::optional<Signal> operator()(const PeerLost& lost) const { return OfPeerLost(moment, lost); }
  };
  return std::visit(Visitor{moment}, moment.event);
}

}  // namespace smsflow::workflows::delivery
