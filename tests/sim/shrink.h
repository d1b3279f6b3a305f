// From a run that found something to a shorter one that finds it too, for a person to read.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/sim/finding.h"

namespace smsflow::sim {

struct Shrunk {
  Played played;
  Finding finding;  // what that comes to; never empty
  int runs = 0;     // that were tried
  double cpu_s = 0;
};

inline constexpr double kShrinkMaxCpuS = 20;

// Leaves out whole stretches of steps, then ever shorter ones, and switches off one of `faults` after the other, as
// long as the finding is of the same kind, for `cpu_s_max` at most. Of the kinds of fault only those count as switched
// off whose absence changes the run. `found` is what `whole` came to, and comes back when nothing can be left out.
Shrunk Shrink(const Played& whole, const Finding& found, const std::vector<std::string>& faults,
              const std::function<Finding(const Played&)>& play, double cpu_s_max = kShrinkMaxCpuS);

}  // namespace smsflow::sim
