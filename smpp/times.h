// Times on the wire (§7.1.1): `YYMMDDhhmmsstnnp`, absolute with a distance from UTC, or relative ('R').
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace smsflow::smpp {

// 30 days, 23:59:59: more cannot be said in days, and a month is not the same everywhere.
inline constexpr std::int64_t kRelativeMax_s = 31 * 86'400 - 1;

struct WireTime {
  bool relative = false;
  std::int64_t seconds = 0;  // Unix seconds; relative: from now on, a month being 30 days and a year 365
};

// nullopt unless `text` is 16 characters of that form with values that exist. The tenth of a second is dropped; a year
// is one of 2000 to 2099.
std::optional<WireTime> ParseTime(std::string_view text);

// A validity period from now on, which needs no agreement on zones. What is longer than kRelativeMax_s is cut to it;
// nullopt for less than one second, for no SMSC could do anything within it.
std::optional<std::string> RelativeTime(std::int64_t seconds);

// In UTC. nullopt outside the years 2000 to 2099.
std::optional<std::string> AbsoluteTime(std::int64_t unix_s);

}  // namespace smsflow::smpp
