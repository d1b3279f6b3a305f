// How many rows a page may have, for every list. Plain functions; safe from any thread.
#pragma once

#include <cstdint>

#include "server/violations.h"

namespace smsflow::server {

inline constexpr std::uint32_t kPageDefault = 100;
inline constexpr std::uint32_t kPageMax = 1'000;

inline std::uint32_t PageSize(std::uint32_t asked, Violations& violations) {
  if (asked > kPageMax) violations.push_back({"page_size", "must be at most 1000"});
  return asked == 0 ? kPageDefault : asked;
}

}  // namespace smsflow::server
