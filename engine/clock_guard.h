// Notices a wall clock that jumps: compares it with the clock that never does. While it is on, nothing fires, so that a
// wrong clock sends no SMS outside its slot. It ends when both clocks agree again, or by a person's word; after a start
// with a wall clock that is behind what is stored, as soon as that is no longer so.
//
// Which of the two is right nobody here can know: the wall clock may have been put wrong, or right. What has to be
// decided meanwhile is decided by the earlier of both times. By that a slot may look open that is over: then the SMS
// waits, and ends once the clocks agree. By the later one a slot could look over that is still to come, and an SMS
// would end unsent, for good. Thread-safe, does not block.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "absl/synchronization/mutex.h"

namespace smsflow::engine {

class ClockGuard {
 public:
  explicit ClockGuard(std::int64_t jump_ms) : jump_ms_(jump_ms) {}

  struct Reading {
    std::int64_t now_ms = 0;  // by which to decide
    bool guarded = false;     // firing must wait
  };
  // Slow drift, as a time daemon makes it, is followed.
  Reading Read(std::int64_t wall_ms, std::int64_t steady_ms) {
    absl::MutexLock lock(&mutex_);
    const std::int64_t offset = wall_ms - steady_ms;
    if (trust_next_) seen_ms_ = wall_ms;
    if (!known_ || trust_next_) offset_ms_ = offset;
    // Until a wall clock was first taken for right there is nothing to compare it with but what is stored: one that was
    // behind that at the start is right as soon as it has caught up.
    known_ = known_ || wall_ms >= seen_ms_ - jump_ms_;
    trust_next_ = false;
    on_ = std::abs(offset - offset_ms_) > jump_ms_ || wall_ms < seen_ms_ - jump_ms_;
    if (on_) return {std::min(wall_ms, steady_ms + offset_ms_), true};
    offset_ms_ = offset;
    seen_ms_ = wall_ms;
    return {wall_ms, false};
  }
  // Stored data was written at this time: a wall clock that is well before it is wrong, also at a start.
  void Seen(std::int64_t wall_ms) {
    absl::MutexLock lock(&mutex_);
    seen_ms_ = std::max(seen_ms_, wall_ms);
  }
  // The last wall time that was taken for right; 0: none yet.
  std::int64_t seen_ms() const {
    absl::MutexLock lock(&mutex_);
    return seen_ms_;
  }
  // The wall clock is right as it is now.
  void Trust() {
    absl::MutexLock lock(&mutex_);
    trust_next_ = true;
    ++trusted_;
  }
  // How often a person said so: what was noted by the clock of before is then no measure any more.
  std::uint64_t trusted() const {
    absl::MutexLock lock(&mutex_);
    return trusted_;
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
  std::uint64_t trusted_ = 0;
  bool on_ = false;
  std::int64_t offset_ms_ = 0;
  std::int64_t seen_ms_ = 0;
};

}  // namespace smsflow::engine
