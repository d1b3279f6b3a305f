#include "tools/bench/part.h"

#include <ctime>

namespace smsflow::bench {
namespace {

double Cpu(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

double ProcessCpu() { return Cpu(CLOCK_PROCESS_CPUTIME_ID); }
double ThreadCpu() { return Cpu(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace smsflow::bench
