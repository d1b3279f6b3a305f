#include "gateway/room.h"

#include "absl/strings/str_cat.h"

namespace smsflow::gateway {

bool DiskGuard::Low() {
  const auto free = room_.FreeBytes();
  if (!free.ok()) return low_;  // as it was
  const bool low = room_.IsLow(*free, low_);
  if (low == low_) return low_;
  low_ = low;
  const absl::Status ballast = low ? room_.ReleaseBallast() : room_.RestoreBallast();
  if (!notice_) return low_;
  notice_(low ? LogLevel::kWarn : LogLevel::kInfo,
          absl::StrCat("the disk of the gateway's store ",
                       low ? "is nearly full: new attempts wait, reports go on" : "has room again",
                       "; free MB: ", *free >> 20));
  if (!ballast.ok()) notice_(LogLevel::kWarn, absl::StrCat("the ballast file: ", ballast.ToString()));
  return low_;
}

}  // namespace smsflow::gateway
