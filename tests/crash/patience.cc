#include "tests/crash/patience.h"

#include <stdlib.h>

#include <algorithm>
#include <thread>

namespace smsflow::crash {

std::int64_t SinceMs(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
}

std::int64_t Patient(std::int64_t ms) {
  double load = 0;
  if (::getloadavg(&load, 1) != 1) return ms;
  const double busy = load / std::max(1U, std::thread::hardware_concurrency());
  return static_cast<std::int64_t>(static_cast<double>(ms) * std::clamp(busy, 1.0, 5.0));
}

}  // namespace smsflow::crash
