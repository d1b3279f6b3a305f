// From a run that found something to a shorter one that finds it too, for a person to read.
#pragma once

#include "tests/sim/simulation.h"

namespace smsflow::sim {

// Leaves out whole stretches of steps, then ever shorter ones, as long as the finding is of the same kind. Runs the
// seed some hundred times; `found` is what comes back when nothing can be left out.
RunReport Shrink(RunOptions options, const RunReport& found);

}  // namespace smsflow::sim
