// Many seeds, one after another or shared among processes.
#pragma once

#include <cstdint>

#include "tests/sim/coverage.h"
#include "tests/sim/seed_watch.h"
#include "tests/sim/simulation.h"

namespace smsflow::sim {

// The standard run: so many seeds from the first on meet each name of NamesToReach() at least 1,000 times.
inline constexpr std::uint64_t kStandardSeeds = 20'000;

struct CampaignOptions {
  std::uint64_t first = 1;
  std::uint64_t seeds = 1'000;
  double minutes = 0;  // at most; 0: no matter
  Played played;
  int jobs = 1;
  Hooks bug;  // empty: none
  int hangs_after_s = kHangsAfterS;
};

struct CampaignResult {
  bool failed = false;  // the finding was printed
  std::uint64_t done = 0;
  RunReport sum;  // of counts; `journals` is a digest over all seeds, whichever process ran them
  Coverage coverage;
  double cpu_s = 0;
};

// Blocks. Ends at the first finding, which it shrinks and prints; or with the process, should a seed end it.
CampaignResult Campaign(const CampaignOptions& options);

}  // namespace smsflow::sim
