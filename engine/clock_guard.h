// Notices a wall clock that jumps: compares it with the clock that never does. While it is on, nothing fires, so that a
// wrong clock sends no SMS outside its slot. It ends when both clocks agree again, or by a person's word.
// Thread-safe, does not block.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "absl/synchronization/mutex.h"

namespace smsflow::engine {

class ClockGuard {
 public:
  explicit ClockGuard(std::int64_t jump_ms) : jump_ms_(jump_ms) {}

  // True while firing must wait. Slow drift, as a time daemon makes it, is followed.
  bool Check(std::int64_t wall_ms, std::int64_t steady_ms) {
    absl::MutexLock lock(&mutex_);
    const std::int64_t offset = wall_ms - steady_ms;
    if (!known_ || trust_next_) {
      known_ = true;
      trust_next_ = false;
      offset_ms_ = offset;
    }
    on_ = std::abs(offset - offset_ms_) > jump_ms_;
    if (!on_) offset_ms_ = offset;
    return on_;
  }
  // The wall clock is right as it is now.
  void Trust() {
    absl::MutexLock lock(&mutex_);
    trust_next_ = true;
  }
  bool on() const {
    absl::MutexLock lock(&mutex_);
    return on_;
  }

 private:
  const std::int64_t jump_ms_;
  mutable absl::Mutex mutex_;
  bool known_ = false;
  bool trust_next_ = false;
  bool on_ = false;
  std::int64_t offset_ms_ = 0;
};

}  // namespace smsflow::engine
