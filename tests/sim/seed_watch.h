// While a seed is played: should the process end in it, by an assertion, a signal or a sanitizer, or should it hang,
// the seed and the line that repeats it are on the standard error.
#pragma once

#include <cstdint>
#include <string>

namespace smsflow::sim {

// So long a seed may take, by the clock on the wall: some thousand times as long as most do.
inline constexpr int kHangsAfterS = 120;

// One at a time in a process, for as long as the seed is played; then all signals are as they were. One that hangs is
// aborted.
class SeedWatch {
 public:
  SeedWatch(std::uint64_t seed, const std::string& line, int hangs_after_s = kHangsAfterS);
  ~SeedWatch();
  SeedWatch(const SeedWatch&) = delete;
  SeedWatch& operator=(const SeedWatch&) = delete;
};

}  // namespace smsflow::sim
