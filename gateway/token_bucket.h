// So many segments a second, in whole numbers: nothing is lost by rounding, however long it runs.
//
// The bucket holds a tenth of a second's worth, at least one segment, and is full at first. Whatever its size, an SMS
// leaves as soon as there is one segment, and what it had not is paid off before the next one leaves: so what is long
// never waits behind what is short, and the rate holds. Times are milliseconds of a clock that never goes back (one
// that does is taken as standing still). Not thread-safe; a plain value.
#pragma once

#include <algorithm>
#include <cstdint>

namespace smsflow::gateway {

inline constexpr std::int64_t kRateMax = 100'000;  // segments a second

class TokenBucket {
 public:
  // REQUIRES 1 <= per_second <= kRateMax.
  TokenBucket(std::int64_t per_second, std::int64_t now_ms);

  // How many milliseconds from `now_ms` until something may leave; 0: now.
  std::int64_t WaitMs(std::int64_t now_ms) const;
  // So many segments leave, whether or not they had to wait.
  void Take(std::int64_t segments, std::int64_t now_ms);
  bool Full(std::int64_t now_ms) const { return LevelAt(now_ms) == Size(); }
  // Whole segments that may leave now; below 0: owed.
  std::int64_t Level(std::int64_t now_ms) const { return LevelAt(now_ms) / kPerSegment; }

 private:
  static constexpr std::int64_t kPerSegment = 1000;
  std::int64_t Size() const { return std::max(kPerSegment, per_second_ * (kPerSegment / 10)); }
  std::int64_t LevelAt(std::int64_t now_ms) const;

  std::int64_t per_second_;
  std::int64_t level_;  // thousandths of a segment; below 0: owed
  std::int64_t at_ms_;
};

}  // namespace smsflow::gateway
