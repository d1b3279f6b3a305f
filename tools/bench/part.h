// What a benchmark measures, in slices: limit and subject take turns in short slices, so that both share the machine's
// good and bad moments, and the share of the one in the other means something even where others use the machine too.
#pragma once

#include <chrono>
#include <cstdint>

namespace smsflow::bench {

// Seconds since some moment, never jumping.
inline double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Slice {
  std::uint64_t count = 0;  // of what the part counts: SMSes, calls
  double seconds = 0;
  double cpu_s = 0;  // of what is measured, without whoever drives it where the two can be told apart

  double rate() const { return seconds > 0 ? static_cast<double>(count) / seconds : 0; }
  Slice& operator+=(const Slice& more) {
    count += more.count;
    seconds += more.seconds;
    cpu_s += more.cpu_s;
    return *this;
  }
};

// Something that can be made to run for a while, again and again; what it stored stays between slices. Not thread-safe.
class Part {
 public:
  virtual ~Part() = default;
  // Blocks for about `seconds`; what it began it also ends, within the time that it counts.
  virtual Slice Run(double seconds) = 0;
};

// CPU seconds of this process, and of the calling thread.
double ProcessCpu();
double ThreadCpu();

}  // namespace smsflow::bench
