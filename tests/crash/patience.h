// How long is waited, on a machine with more to do than it has cores.
#pragma once

#include <chrono>
#include <cstdint>

namespace smsflow::crash {

std::int64_t SinceMs(std::chrono::steady_clock::time_point start);
// So many times as long as the machine is busier than it has cores, up to five.
std::int64_t Patient(std::int64_t ms);

}  // namespace smsflow::crash
