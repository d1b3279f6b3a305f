#include "workflows/delivery/state.h"

#include <algorithm>

#include "workflows/delivery/events.h"

namespace smsflow::workflows::delivery {

std::string_view NameOf(State state) {
  switch (state) {
    case State::kNew:
      return "new";
    case State::kPending:
      return "PENDING";
    case State::kInSlot:
      return "IN_SLOT";
    case State::kSent:
      return "SENT";
    case State::kDelivered:
      return "DELIVERED";
    case State::kExpired:
      return "EXPIRED";
    case State::kCanceled:
      return "CANCELED";
    case State::kBlocked:
      return "BLOCKED";
    case State::kInvalid:
      return "INVALID";
    case State::kUnconfirmed:
      return "UNCONFIRMED";
    case State::kUnknown:
      return "UNKNOWN";
  }
  return "?";
}

bool IsEnd(State state) {
  switch (state) {
    case State::kDelivered:
    case State::kExpired:
    case State::kCanceled:
    case State::kBlocked:
    case State::kInvalid:
      return true;
    default:
      return false;
  }
}

bool IsOverForUser(State state) { return IsEnd(state) || state == State::kUnconfirmed || state == State::kUnknown; }

Result Join(Result a, Result b) {
  const bool contradict =
      (a == Result::kNeverSeen && b == Result::kAccepted) || (a == Result::kAccepted && b == Result::kNeverSeen);
  return contradict ? Result::kUnknown : std::max(a, b);
}

Result Data::ResultOf(std::uint32_t attempt) const {
  if (attempt == 0 || attempt > attempts || attempts - attempt >= results.size()) return Result::kNone;
  return results[results.size() - 1 - (attempts - attempt)];
}

std::string_view NameOf(Timer timer) {
  switch (timer) {
    case kDueTimer:
      return "due";
    case kSlotEndTimer:
      return "slot_end";
    case kProbeTimer:
      return "probe";
    case kReceiptTimer:
      return "receipt";
    case kKeepTimer:
      return "keep";
  }
  return "?";
}

std::string_view NameOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kNone:
      return "";
    case Outcome::kScheduled:
      return "SCHEDULED";
    case Outcome::kCanceled:
      return "CANCELED";
    case Outcome::kTooLate:
      return "TOO_LATE";
    case Outcome::kAlreadyEnded:
      return "ALREADY_ENDED";
    case Outcome::kBlocked:
      return "BLOCKED";
    case Outcome::kRescheduled:
      return "RESCHEDULED";
    case Outcome::kNoSlotLeft:
      return "NO_SLOT_LEFT";
    case Outcome::kResolved:
      return "RESOLVED";
    case Outcome::kNotUnknown:
      return "NOT_UNKNOWN";
    case Outcome::kDueNow:
      return "DUE_NOW";
    case Outcome::kNotNow:
      return "NOT_NOW";
    case Outcome::kNoted:
      return "NOTED";
    case Outcome::kNoSuchAttempt:
      return "NO_SUCH_ATTEMPT";
    case Outcome::kReported:
      return "REPORTED";
  }
  return "?";
}

std::string_view NameOf(Reported reported) {
  switch (reported) {
    case Reported::kNeverSeen:
      return "NEVER_SEEN";
    case Reported::kAccepted:
      return "ACCEPTED";
    case Reported::kUnknown:
      return "UNKNOWN";
    case Reported::kSent:
      return "SENT";
    case Reported::kFailedTransient:
      return "FAILED";
    case Reported::kFailedPermanent:
      return "FAILED_PERMANENT";
    case Reported::kInvalid:
      return "INVALID";
    case Reported::kDelivered:
      return "DELIVERED";
    case Reported::kExpired:
      return "EXPIRED";
  }
  return "?";
}

Result ResultOf(Reported reported) {
  switch (reported) {
    case Reported::kNeverSeen:
      return Result::kNeverSeen;
    case Reported::kAccepted:
      return Result::kAccepted;
    case Reported::kUnknown:
      return Result::kUnknown;
    case Reported::kSent:
      return Result::kSent;
    case Reported::kFailedTransient:
    case Reported::kExpired:
      return Result::kFailedTransient;
    case Reported::kFailedPermanent:
    case Reported::kInvalid:
      return Result::kFailedPermanent;
    case Reported::kDelivered:
      return Result::kDelivered;
  }
  return Result::kNone;
}

}  // namespace smsflow::workflows::delivery
