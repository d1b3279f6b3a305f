// The delivery workflow as the kernel and the doors meet it: bytes in, bytes out. The only header of this workflow that
// anything outside workflows/ includes; it shows no proto and no state machine.
//
// Doors encode events, the engine carries them, DeliveryWorkflow decides, and whoever shows an SMS to a person decodes
// it with ViewOf(). Everything is a pure function over values; safe from any thread; nothing blocks or throws.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workflows/delivery/events.h"
#include "workflows/delivery/policy.h"
#include "workflows/delivery/state.h"
#include "workflows/workflow.h"

namespace smsflow::workflows::delivery {

// The one object that is registered with the engine.
std::unique_ptr<Workflow> MakeDeliveryWorkflow();

// Events. The kernel gets a payload, a target and an idempotency key beside the event, never in it.
// The body of a Schedule event and what is then stored as `fixed` are the same bytes.
Event EncodeSchedule(const Schedule& schedule);
Event EncodeReport(const Report& report);  // Event::effect is the attempt
Event EncodeCancel();                      // Outcome kCanceled, kTooLate or kAlreadyEnded: the outcome is the answer,
Event EncodeBlock();                       //   also where nothing changed (kRefused with Refusal::kNone: no error)
Event EncodeReschedule(const Reschedule& reschedule);  // refusals are kFailedPrecondition
Event EncodeResolve(How how);                          // so are these
Event EncodeLookNow();

// The tenant's choices. Decoding the empty string yields the defaults; nullopt: not ours.
std::string EncodePolicy(const Policy& policy);
std::optional<Policy> DecodePolicy(std::string_view bytes);

// Decision::answer of a Schedule or Reschedule event.
struct ScheduleAnswer {
  State state = State::kPending;
  std::int64_t due_ms = 0;       // 0: none
  std::int64_t deadline_ms = 0;  // the slot's end; 0: none
};
std::optional<ScheduleAnswer> DecodeScheduleAnswer(std::string_view answer);

// What makes two requests with one idempotency key the same: batch, key and slots, not the ciphertext and not key_id.
// Bytes to be hashed by the caller.
std::string FingerprintInput(std::string_view batch, std::string_view key, const Slots& slots);

// Everything a person or a door may read of an SMS, but for the payload.
struct SmsView {
  State state = State::kNew;
  std::string batch, key, target, key_id;
  Slots slots;
  std::int64_t due_ms = 0;       // of the next attempt, else of the last; 0: none
  std::int64_t deadline_ms = 0;  // the end of the slot that due_ms lies in, of the last slot if none ever left; 0: none
  std::uint32_t attempts = 0;
  std::int64_t left_ms = 0;     // when the last attempt left; 0: none did
  std::vector<Result> results;  // of the last attempts (at most kResultsKept), oldest first
  Stop stop = Stop::kNone;
  std::string cause;  // of the last failure; once it is over, why it ended so: nothing where it was delivered
};
// nullopt: `fixed` or `data` is not of this workflow.
std::optional<SmsView> ViewOf(std::uint16_t state, std::string_view target, std::string_view fixed,
                              std::string_view data);

}  // namespace smsflow::workflows::delivery
