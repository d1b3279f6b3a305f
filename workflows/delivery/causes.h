// The closed list of causes: the only words in which a failure is told, to clients, journals and metrics alike. A
// carrier's own text never passes: it may hold a number.
#pragma once

#include <string_view>

namespace smsflow::workflows::delivery {

namespace cause {
// Found by the engine.
inline constexpr std::string_view kNoSlot = "no_slot";          // no slot is left
inline constexpr std::string_view kSlotPassed = "slot_passed";  // while it was due: no credit, a pause, or nobody there
inline constexpr std::string_view kMaxAttempts = "max_attempts";
inline constexpr std::string_view kNoAnswer = "no_answer";  // its gateway said nothing in time
inline constexpr std::string_view kNoReceipt = "no_receipt";
inline constexpr std::string_view kPeerLost = "peer_lost";  // its gateway's store is gone
inline constexpr std::string_view kNeverSeen = "never_seen";
inline constexpr std::string_view kContradiction =
    "contradiction";  // NEVER_SEEN and ACCEPTED for one attempt: an alarm
inline constexpr std::string_view kCanceled = "canceled";
inline constexpr std::string_view kBlocked = "blocked";
inline constexpr std::string_view kGaveUp = "gave_up";     // by an operator
inline constexpr std::string_view kResolved = "resolved";  // by an operator
// Told by gateways.
inline constexpr std::string_view kExpired = "expired";  // past its deadline, or its validity at the SMSC
inline constexpr std::string_view kFailed = "failed";    // transient, nothing more is known
inline constexpr std::string_view kInvalid = "invalid";  // permanent, nothing more is known
inline constexpr std::string_view kUnknown = "unknown";  // its gateway cannot tell what became of it
inline constexpr std::string_view kOther = "other";      // a word that is not on this list
}  // namespace cause

// `word` if it is on the list (see causes.cc for what gateways may say beyond the above), kOther if not, empty for
// empty.
std::string_view CauseWord(std::string_view word);

}  // namespace smsflow::workflows::delivery
