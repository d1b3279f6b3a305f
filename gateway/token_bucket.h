// So many segments a second, in whole numbers: nothing is lost by rounding, however long it runs.
//
// The bucket holds a second's worth and is full at first. What costs more than it holds leaves when it is full, and is
// paid off before anything else leaves. Times are milliseconds of a clock that never goes back (one that does is
// taken as standing still). Not thread-safe; a plain value.
#pragma once

#include <cstdint>

namespace smsflow::gateway {

inline constexpr std::int64_t kRateMax = 100'000;  // segments a second

class TokenBucket {
 public:
  // REQUIRES 1 <= per_second <= kRateMax.
  TokenBucket(std::int64_t per_second, std::int64_t now_ms);

  // How many milliseconds from `now_ms` until `segments` may leave; 0: now.
  std::int64_t WaitMs(std::int64_t segments, std::int64_t now_ms) const;
  // They leave, whether or not they had to wait.
  void Take(std::int64_t segments, std::int64_t now_ms);
  bool Full(std::int64_t now_ms) const { return LevelAt(now_ms) == Size(); }
  std::int64_t per_second() const { return per_second_; }

 private:
  std::int64_t Size() const { return per_second_ * 1000; }
  std::int64_t LevelAt(std::int64_t now_ms) const;

  std::int64_t per_second_;
  std::int64_t level_;  // thousandths of a segment; below 0: owed
  std::int64_t at_ms_;
};

}  // namespace smsflow::gateway
