// What a campaign prints of a seed that does not hold. One of the simulators, as campaigns know it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/sim/finding.h"
#include "tests/sim/seed_watch.h"

namespace smsflow::sim {

struct Simulator {
  std::string flag;                 // of tools/dev sim; the engine's has none
  std::vector<std::string> faults;  // kinds that can be switched off
  std::function<Finding(std::uint64_t seed, const Played&)> play;
  int hangs_after_s = kHangsAfterS;
};

// Plays it, and says so if the process ends in it (seed_watch.h).
Finding PlayWatched(const Simulator& simulator, std::uint64_t seed, const Played& played);

// Prints the violations; what was done in the shortest run with such a violation that could be found, the journal of
// the SMS that it is about, and the lines that repeat both runs. What is a part already is not made shorter. Blocks for
// kShrinkMaxCpuS, and some seconds.
void TellFinding(const Simulator& simulator, std::uint64_t seed, const Played& played, const Finding& found);

}  // namespace smsflow::sim
