// What is known of one SMS: its states, what it was scheduled with, and what changes while it lives.
//
// Every number here is persisted: once given, it is never changed or used for something else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "workflows/delivery/slots.h"

namespace smsflow::workflows::delivery {

inline constexpr std::uint16_t kWorkflowNumber = 1;

// The same numbers as SmsState in proto/smsflow/v1/scheduler.proto.
enum class State : std::uint16_t {
  kNew = 0,          // not stored yet
  kPending = 1,      // waits for its slot, or is due and waits for credit
  kInSlot = 2,       // an attempt has left, its answer is awaited
  kSent = 3,         // the SMSC took it, the receipt is awaited
  kDelivered = 4,    // end
  kExpired = 5,      // end: no slot or no attempt is left
  kCanceled = 6,     // end
  kBlocked = 7,      // end
  kInvalid = 8,      // end: a permanent failure
  kUnconfirmed = 9,  // sent, no receipt came in time; reports still count
  kUnknown = 10,     // it may or may not have been sent; reports still count
};
inline constexpr State kAllStates[] = {State::kNew,       State::kPending,     State::kInSlot,   State::kSent,
                                       State::kDelivered, State::kExpired,     State::kCanceled, State::kBlocked,
                                       State::kInvalid,   State::kUnconfirmed, State::kUnknown};
std::string_view NameOf(State state);  // "PENDING", …; "new" for kNew; "?" for a number that is none
// DELIVERED, EXPIRED, CANCELED, BLOCKED, INVALID. Not UNCONFIRMED and UNKNOWN, which are over for their user only.
bool IsEnd(State state);
bool IsOverForUser(State state);  // an end, UNCONFIRMED or UNKNOWN

// What became of one attempt. Reports only ever raise it, along this order; NEVER_SEEN and ACCEPTED contradict each
// other, and both together are UNKNOWN. So reports may come in any order and the result is the same.
enum class Result : std::uint8_t {
  kNone = 0,
  kNeverSeen = 1,  // a definite negative: its gateway will refuse it for ever
  kAccepted = 2,
  kUnknown = 3,
  kSent = 4,
  kFailedTransient = 5,  // a definite negative
  kFailedPermanent = 6,  // a definite negative, and no further attempt would fare better
  kDelivered = 7,
};
Result Join(Result a, Result b);
// Nothing is known yet that frees its credit.
inline bool IsOpen(Result result) { return result == Result::kNone || result == Result::kAccepted; }

// Why no further attempt may leave.
enum class Stop : std::uint8_t { kNone = 0, kCancel = 1, kBlock = 2 };

enum Timer : std::uint16_t {
  kDueTimer = 1,      // gated: the next attempt may leave
  kSlotEndTimer = 2,  // the attempt's deadline: while PENDING the slot is over, while IN_SLOT the gateway is asked
  kProbeTimer = 3,    // the gateway is asked (again), or the attempt given up as UNKNOWN
  kReceiptTimer = 4,  // the receipt is overdue
  kKeepTimer = 5,     // the last slot is over, so no retry can need the payload
};
std::string_view NameOf(Timer timer);

enum Index : std::uint16_t { kBatchIndex = 1, kKeyIndex = 2, kTargetIndex = 3 };
inline constexpr std::uint8_t kBlockedSet = 0;  // the membership set of blocked targets

// What was scheduled. The target is the kernel's to keep, the payload nobody's to read.
struct Fixed {
  std::string batch, key;   // may be empty
  std::string key_id;       // which gateway key the payload is sealed for, hence the lane; empty: any gateway
  Slots slots;              // normalised
  std::string tzdata = {};  // the version by which local times became these slots; empty: there were none
  bool operator==(const Fixed&) const = default;
};

// Results are kept of so many attempts, the latest ones; of an older one only DELIVERED still counts.
inline constexpr std::size_t kResultsKept = 32;

struct Data {
  std::int64_t due_ms = 0;       // of the next attempt while PENDING, else of the last; 0: none
  std::int64_t left_ms = 0;      // when the last attempt left; 0: none did
  std::int64_t deadline_ms = 0;  // what was handed over with it: the slot's end less the guard
  std::uint32_t attempts = 0;    // how many have left, hence the number of the last
  std::vector<Result> results;   // of the last min(attempts, kResultsKept) attempts, oldest first
  Stop stop = Stop::kNone;
  std::uint32_t probes = 0;  // asked since the deadline of the last attempt
  std::string cause;         // of the last failure; a word of causes.h
  // Of the last attempts, as `results`: a bit for each Result that was told when more was known already, so that it is
  // recorded once and not as often as a gateway repeats itself. Empty: none was.
  std::vector<std::uint8_t> noted;
  bool operator==(const Data&) const = default;

  Result ResultOf(std::uint32_t attempt) const;  // kNone for one that is not kept or never left
  Result Latest() const { return results.empty() ? Result::kNone : results.back(); }
};

}  // namespace smsflow::workflows::delivery
