// Instants as text, as the records on Kafka carry them: ISO 8601 with an offset. Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace smsflow::kafka {

// `2026-11-21T10:00:00Z`, with `.mmm` only where the milliseconds are not 0. From year 0 to 9999.
std::string FormatInstant(std::int64_t unix_ms);

// `YYYY-MM-DDThh:mm[:ss[.fraction]]` and `Z` or an offset `+hh:mm`; of a fraction the milliseconds count. nullopt:
// anything else.
std::optional<std::int64_t> ParseInstant(std::string_view text);

}  // namespace smsflow::kafka
