// The time that a gateway goes by: the wall clock's, as long as it agrees with the clock that never jumps. After a jump
// the time of before goes on, so that a wrong clock neither forgets an attempt in flight nor lets one expire.
//
// Thread-safe, does not block. A jump lasts until both clocks agree again, or a new process takes the wall clock as it
// is. One that is set right slowly, or was wrong from the start, is not noticed.
#pragma once

#include <cstdint>
#include <mutex>

#include "engine/clock_guard.h"
#include "engine/seams.h"
#include "gateway/notice.h"

namespace smsflow::gateway {

inline constexpr std::int64_t kClockJumpMs = 300'000;  // beyond it the wall clock is not followed

class AgreedClock : public engine::Clock {
 public:
  // `clock` outlives it. `notice` hears when the wall clock jumps, and when it is right again.
  AgreedClock(engine::Clock& clock, NoticeHandler notice);

  std::int64_t WallMs() const override;
  std::int64_t SteadyMs() const override { return clock_.SteadyMs(); }
  // The wall clock is somewhere else.
  bool Jumped() const;

 private:
  engine::Clock& clock_;
  const NoticeHandler notice_;
  mutable std::mutex mutex_;
  mutable engine::ClockGuard guard_{kClockJumpMs};
  mutable bool jumped_ = false;
  mutable std::int64_t offset_ms_ = 0;  // of the agreed time to the steady clock's
};

}  // namespace smsflow::gateway
