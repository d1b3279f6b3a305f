#include "gateway/token_bucket.h"

namespace smsflow::gateway {

TokenBucket::TokenBucket(std::int64_t per_second, std::int64_t now_ms)
    : per_second_(per_second), level_(Size()), at_ms_(now_ms) {}

// A millisecond brings per_second_ thousandths, exactly. Longer than a debt of all that was ever taken need not be
// looked back, so nothing overflows.
std::int64_t TokenBucket::LevelAt(std::int64_t now_ms) const {
  const std::int64_t missing = Size() - level_;
  const std::int64_t enough_ms = (missing + per_second_ - 1) / per_second_;
  const std::int64_t passed_ms = std::clamp<std::int64_t>(now_ms - at_ms_, 0, enough_ms);
  return std::min(Size(), level_ + passed_ms * per_second_);
}

std::int64_t TokenBucket::WaitMs(std::int64_t now_ms) const {
  const std::int64_t missing = kPerSegment - LevelAt(now_ms);
  return missing <= 0 ? 0 : (missing + per_second_ - 1) / per_second_;
}

void TokenBucket::Take(std::int64_t segments, std::int64_t now_ms) {
  level_ = LevelAt(now_ms) - segments * kPerSegment;
  at_ms_ = std::max(at_ms_, now_ms);
}

}  // namespace smsflow::gateway
