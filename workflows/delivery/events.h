// What can happen to an SMS, as types. The kinds are persisted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "workflows/delivery/state.h"

namespace smsflow::workflows::delivery {

enum EventKind : std::uint16_t {
  kScheduleEvent = 1,
  kReportEvent = 2,
  kCancelEvent = 3,
  kBlockEvent = 4,
  kRescheduleEvent = 5,
  kResolveEvent = 6,
  kLookNowEvent = 7,
};

// What a command came to, for its sender and for the counts of a sweep.
enum class Outcome : std::uint16_t {
  kNone = 0,
  kScheduled = 1,
  kCanceled = 2,
  kTooLate = 3,  // an attempt has left; no further one will
  kAlreadyEnded = 4,
  kBlocked = 5,
  kRescheduled = 6,
  kNoSlotLeft = 7,
  kResolved = 8,
  kNotUnknown = 9,  // only an UNKNOWN can be resolved
  kDueNow = 10,
  kNotNow = 11,  // looked, but the slots do not allow it, or it is due already
  kNoted = 12,   // a report that changed nothing
  kNoSuchAttempt = 13,
  kReported = 14,
};
std::string_view NameOf(Outcome outcome);

// What a gateway reports; the numbers of AttemptResult in proto/smsflow/v1/gateway.proto.
enum class Reported : std::uint8_t {
  kNeverSeen = 1,
  kAccepted = 2,
  kUnknown = 3,
  kSent = 4,
  kFailedTransient = 5,
  kFailedPermanent = 6,
  kInvalid = 7,
  kDelivered = 8,
  kExpired = 9,
};
std::string_view NameOf(Reported reported);
Result ResultOf(Reported reported);  // INVALID is a permanent failure, EXPIRED a transient one

// What a failure is about; the numbers of FailureAbout there.
enum class About : std::uint8_t { kNotSaid = 0, kMessage = 1, kRecipient = 2, kSender = 3, kRoute = 4 };

struct Schedule {
  Fixed fixed;
};
struct Report {
  std::uint32_t attempt = 0;
  Reported reported = Reported::kAccepted;
  About about = About::kNotSaid;
  std::string cause;       // passes through CauseWord() when it is encoded
  std::int64_t at_ms = 0;  // the gateway's clock, for people
};
struct Cancel {};
struct Block {};  // the target was blocked: sent to what is pending or in flight for it
struct Reschedule {
  std::optional<Slots> slots;  // nullopt: as they are
  bool payload = false;        // a new payload comes along
  std::string key_id;          // with a new payload: what it is sealed for
  std::string tzdata = {};     // with new slots, as in Fixed
};
enum class How : std::uint8_t { kDelivered = 1, kRetry = 2, kGiveUp = 3 };  // persisted
struct Resolve {
  How how = How::kDelivered;
};
struct LookNow {};  // leave now if the slots allow it
struct TimerFired {
  Timer timer = kDueTimer;
  std::int64_t due_ms = 0;  // it may fire long after: the engine was away
};
struct PeerLost {
  std::uint32_t attempt = 0;
};

using AnyEvent = std::variant<Schedule, Report, Cancel, Block, Reschedule, Resolve, LookNow, TimerFired, PeerLost>;

}  // namespace smsflow::workflows::delivery
