#include "workflows/delivery/causes.h"

#include <algorithm>
#include <iterator>

namespace smsflow::workflows::delivery {
namespace {

constexpr std::string_view kWords[] = {
    cause::kNoSlot, cause::kSlotPassed, cause::kMaxAttempts, cause::kNoAnswer, cause::kNoReceipt, cause::kPeerLost,
    cause::kNeverSeen, cause::kContradiction, cause::kCanceled, cause::kBlocked, cause::kGaveUp, cause::kResolved,
    cause::kExpired, cause::kFailed, cause::kInvalid, cause::kUnknown, cause::kOther,
    // What gateways may say beyond that.
    "envelope",           // it cannot be opened, or was sealed for another SMS
    "invalid_message",    // empty, too long, not encodable
    "invalid_recipient",  // no number, or none that can be
    "foreign_recipient",  // outside the route's number plan
    "invalid_sender", "no_route",
    "smsc_error",  // the SMSC answered with an error
    "smsc_unreachable",
    "smsc_unknown",  // the SMSC itself does not know
    "throttled",
    "rejected",  // by the SMSC, for good
    "undeliverable",
    "absent",     // the handset could not be reached
    "deleted",    // at the SMSC
    "restarted",  // the gateway stopped between intent and result
    "requested",  // a test message asked for it
};

}  // namespace

std::string_view CauseWord(std::string_view word) {
  if (word.empty()) return word;
  const auto found = std::find(std::begin(kWords), std::end(kWords), word);
  return found == std::end(kWords) ? cause::kOther : *found;
}

}  // namespace smsflow::workflows::delivery
