// Times as people write and read them. Inside, all times are Unix milliseconds, UTC; a person sees the local zone (TZ),
// a script sees UTC.
//
// Pure but for the zone, which the C library reads; safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace smsflow::cli {

std::string LocalDay(std::int64_t ms);                        // Sat 21 Nov 2026, CET
std::string LocalClock(std::int64_t ms);                      // 09:12:00.123
std::string LocalTime(std::int64_t ms);                       // 2026-11-21 09:12:00
std::string ShortTime(std::int64_t ms, std::int64_t now_ms);  // 09:12:00, on another day 2026-11-24 09:12; 0: -
std::string UtcTime(std::int64_t ms);                         // 2026-11-21T08:12:00.123Z; 0: -
// The same text with its UTC times (2026-11-21T08:12:00Z) and slots in seconds (1795251600-1795252200) as short local
// times.
std::string Localised(std::string_view text, std::int64_t now_ms);
// The same with slots as a script reads them, and --at takes them: 2026-11-21T09:00:00Z/2026-11-21T09:10:00Z.
std::string InUtc(std::string_view text);
std::string Span(std::int64_t ms);  // 450 ms, 12 s, 3 min 20 s, 2 h 5 min, 3 d 4 h

// A whole number with an optional unit s, m, h or d; without one it counts seconds.
[[nodiscard]] absl::StatusOr<std::int64_t> ParseSeconds(std::string_view text);

// Each slot of the form +S1[+S2] becomes `from-till` in seconds: from now + S1, for S2 (600 s when left out). All other
// slots stay as they are: the server knows the grammar.
[[nodiscard]] absl::StatusOr<std::string> ExpandSlots(std::string_view text, std::int64_t now_ms);

// When something was: `2h` (that long ago), `2026-11-21`, `2026-11-21 09:00[:00]` (local), or with Z or an offset.
[[nodiscard]] absl::StatusOr<std::int64_t> ParseMoment(std::string_view text, std::int64_t now_ms);

}  // namespace smsflow::cli
