#include "gateway/agreed_clock.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace smsflow::gateway {

AgreedClock::AgreedClock(engine::Clock& clock, NoticeHandler notice) : clock_(clock), notice_(std::move(notice)) {
  WallMs();  // as it is now, it is believed
}

std::int64_t AgreedClock::WallMs() const {
  std::string line;
  std::int64_t agreed_ms = 0;
  bool jumped = false;
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t steady_ms = clock_.SteadyMs();
    const std::int64_t wall_ms = clock_.WallMs();
    jumped = guard_.Read(wall_ms, steady_ms).guarded;
    if (jumped && !jumped_) {
      line = absl::StrCat("the wall clock jumped by ", (wall_ms - steady_ms - offset_ms_) / 1000,
                          " s: the time of before goes on, and nothing is forgotten; set the clock right, or start the "
                          "gateway again when it is right as it is now");
    }
    if (!jumped && jumped_) line = "the wall clock is right again";
    jumped_ = jumped;
    if (!jumped) offset_ms_ = wall_ms - steady_ms;
    agreed_ms = steady_ms + offset_ms_;
  }
  if (!line.empty() && notice_) notice_(jumped ? LogLevel::kWarn : LogLevel::kInfo, line);
  return agreed_ms;
}

bool AgreedClock::Jumped() const {
  WallMs();  // looks
  const std::lock_guard lock(mutex_);
  return jumped_;
}

}  // namespace smsflow::gateway
