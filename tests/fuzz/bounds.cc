// What one input may cost. libFuzzer's own limit is of the clock on the wall, which on a busy machine must be generous;
// this one is of the processor's time, so that what is quadratic is found where there is room for many bytes. Linked
// into every fuzzer, in whose stead it is called.
#include <ctime>
#include <utility>

#include "tests/fuzz/fuzz.h"

namespace {

// An ordinary input takes a millisecond in these builds, the longest ones some tenths of a second.
constexpr double kSecondsMax = 3;

double Used() {
  std::timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace

// The linker gives these names (--wrap).
extern "C" int __real_LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int __wrap_LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static bool first = true;  // it makes keys, and what else is made once
  const double before = Used();
  const int result = __real_LLVMFuzzerTestOneInput(data, size);
  if (std::exchange(first, false)) return result;
  smsflow::fuzz::Require(Used() - before < kSecondsMax, "an input takes three seconds of the processor at most");
  return result;
}
