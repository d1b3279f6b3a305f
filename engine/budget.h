// How fast what is overdue may leave: a token bucket that holds a tenth of a second, so that no second sees more than
// 1.1 times the rate. Thread-safe, does not block; time comes from the caller.
#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/synchronization/mutex.h"

namespace smsflow::engine {

class FireBudget {
 public:
  explicit FireBudget(std::uint32_t per_s) : per_s_(per_s) {}

  bool Take(std::int64_t steady_ms) {
    absl::MutexLock lock(&mutex_);
    Refill(steady_ms);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }
  void GiveBack() {
    absl::MutexLock lock(&mutex_);
    tokens_ = std::min(Capacity(), tokens_ + 1);
  }

 private:
  double Capacity() const { return std::max(1.0, per_s_ / 10.0); }
  void Refill(std::int64_t steady_ms) {
    if (last_ms_ >= 0)
      tokens_ = std::min(Capacity(), tokens_ + static_cast<double>(steady_ms - last_ms_) * per_s_ / 1000);
    last_ms_ = steady_ms;
  }

  const double per_s_;
  absl::Mutex mutex_;
  double tokens_ = 0;
  std::int64_t last_ms_ = -1;
};

}  // namespace smsflow::engine
