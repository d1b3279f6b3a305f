// One point in time as a person writes it in a schedule; the form is in slots.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "workflows/delivery/slots.h"

namespace smsflow::workflows::delivery {

struct Instant {
  std::int64_t second = 0;      // Unix seconds, UTC
  const char* error = nullptr;  // null: fine. Else the rule that is broken; a text that lives for ever
  bool zoned = false;           // the time zone database decided it; false also where an offset did
};

Instant ParseInstant(std::string_view text, const ZoneResolver* zones, Edge edge);

}  // namespace smsflow::workflows::delivery
