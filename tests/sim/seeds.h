// What the campaigns beside the engine's own share: their command line, seed after seed, and the search for a bug.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace smsflow::sim {

struct SeedArguments {
  std::uint64_t first = 1, seeds = 1'000;
  double minutes = 0;  // 0: as long as it takes
  int steps = 0;       // of each rough phase
  bool bugs = false;
};

// What one seed violates; empty: it holds.
using RunSeed = std::function<std::vector<std::string>(std::uint64_t seed)>;

double CpuS();  // of this process so far

// Until there are enough, the time is over or one does not hold; of that one it prints what, and how to repeat it.
// `kind` is the campaign's flag. Returns how many held, or less than none.
std::int64_t RunSeeds(const SeedArguments& arguments, const std::string& kind, const RunSeed& run);

struct SeededBug {
  std::string name, what;
  RunSeed run;  // with it
};

// Each of `bugs` is planted in hooks of its own for every seed, for it may count; `run` plays the seed with them.
template <class Hooks, class Bug, class Run>
std::vector<SeededBug> Planted(const std::vector<Bug>& bugs, Run run) {
  std::vector<SeededBug> planted;
  for (const Bug& bug : bugs) {
    planted.push_back({bug.name, bug.what, [run, plant = bug.plant](std::uint64_t seed) {
                         Hooks hooks;
                         plant(hooks);
                         return run(seed, hooks);
                       }});
  }
  return planted;
}

// Reads the command line, of a campaign that is about `what`. With --bugs it searches for each of `bugs`, from the
// first seed on and for a minute of CPU time at most, and prints a table of them. Exit codes: 0 all held or every bug
// was found, 1 not, 2 the command line is wrong.
int SeedsMain(int argc, char** argv, const std::string& what, int steps, bool (*campaign)(const SeedArguments&),
              std::vector<SeededBug> (*bugs)(const SeedArguments&));

}  // namespace smsflow::sim
