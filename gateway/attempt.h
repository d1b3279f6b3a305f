// What a gateway knows, and says, of one attempt. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ids/ids.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::gateway {

using workflows::delivery::About;
using workflows::delivery::Reported;

// One word about an attempt, from the carrier to the store and from there to the engine.
struct Report {
  AttemptId attempt;
  Reported result = Reported::kAccepted;
  About about = About::kNotSaid;
  std::string cause;       // of the closed list in docs/hand-over.md
  std::int64_t at_ms = 0;  // this gateway's clock; for people, never for rules
};

// What is durably known of an attempt.
struct Record {
  std::int64_t deadline_ms = 0;
  std::optional<Reported> result;  // nullopt: INTENT, it may be on its way
  About about = About::kNotSaid;
  std::string cause;
  std::int64_t at_ms = 0;
  bool operator==(const Record&) const = default;
};

}  // namespace smsflow::gateway
