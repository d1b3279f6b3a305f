// The real delivery workflow, with an eye on it: which event met which state and what came of it is counted, and a
// seeded bug may change what goes in and out. As pure as what it wraps, but for the counts; one thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/coverage.h"
#include "tests/sim/hooks.h"
#include "workflows/workflow.h"

namespace smsflow::sim {

std::unique_ptr<workflows::Workflow> WatchDelivery(Coverage& coverage, const Hooks& hooks);

// What a whole campaign must have reached of the machine, by the names that WatchDelivery() counts: every row of the
// table, and every command in every state that has no row for it.
std::vector<std::string> RowsToReach();
std::vector<std::string> RefusalsToReach();

}  // namespace smsflow::sim
