// One seed, one thread, virtual time: real delivery workflow, real codec, real engine over a store that loses what was
// not synced, and gateways that die, lose their store and their link. The same seed makes the same run, whatever the
// build.
//
// A run has a rough phase, in which anything may fail between any two steps, and a quiet one, in which all is mended
// and everything must end. Which faults it knows, and how often they come, is the seed's choice as well.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/coverage.h"
#include "tests/sim/finding.h"
#include "tests/sim/hooks.h"

namespace smsflow::sim {

struct RunReport : Finding {
  std::uint64_t trace_hash = 0;  // of every decision that was made; the same for the same seed
  std::uint64_t journals = 0;    // digest of all journals; the same for the same seed
  std::uint64_t scheduled = 0;
  std::uint64_t crashes = 0;  // of engines that had written something; starts that failed are no lives
  std::uint64_t submits = 0;
  std::uint64_t delivered = 0;
  std::uint64_t erased = 0;
};

struct RunOptions {
  std::uint64_t seed = 1;
  Played played = {};
  Hooks bug = {};                // empty: none
  Coverage* coverage = nullptr;  // counts are added; null: not wanted
};

RunReport RunSeed(const RunOptions& options);

// What a campaign must have counted, each at least once: commands, events, faults, rows and refusals of the transition
// table, each kind of fault while there was an SMS in each state, and every check of an invariant.
std::vector<std::string> NamesToReach();
// Kinds of fault that a run can be played without.
std::vector<std::string> FaultKinds();

}  // namespace smsflow::sim
