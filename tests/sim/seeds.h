// What the campaigns beside the engine's own share: their command line, seed after seed, and the search for a bug.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/sim/tell.h"

namespace CLI {
class App;
}

namespace smsflow::sim {

struct SeedArguments {
  std::uint64_t first = 1, seeds = 1'000;
  double minutes = 0;  // 0: as long as it takes
  Played played;
  bool bugs = false;
  std::string bug;  // that is planted in every seed; empty: none
};

struct SeededBug {
  std::string name, what;
  // What the seed shows with it.
  std::function<Finding(std::uint64_t seed, const Played&)> play;
};

struct SeedsCampaign {
  std::string about;    // for --help
  int steps = 300;      // of each rough phase, unless told otherwise
  Simulator simulator;  // what it plays, also adds up
  // What all seeds came to, once that many have held.
  std::function<void(std::int64_t held, std::uint64_t first)> sum_up;
  std::vector<SeededBug> bugs;
};

double CpuS();  // of this process so far

// The options that say which part of a run is played.
void AddPlayed(CLI::App& app, Played& played, const std::vector<std::string>& faults);

// Until there are enough, the time is over or one does not hold; that one is told. Returns how many held, or less than
// none.
std::int64_t RunSeeds(const SeedArguments& arguments, const Simulator& simulator);

// Each of `bugs` is planted in hooks of its own for every seed, for it may count; `play` plays the seed with them.
template <class Hooks, class Bug, class Play>
std::vector<SeededBug> Planted(const std::vector<Bug>& bugs, Play play) {
  std::vector<SeededBug> planted;
  for (const Bug& bug : bugs) {
    planted.push_back({bug.name, bug.what, [play, plant = bug.plant](std::uint64_t seed, const Played& played) {
                         Hooks hooks;
                         plant(hooks);
                         return Finding(play(seed, played, hooks));
                       }});
  }
  return planted;
}

// Reads the command line and does what it says. With --bugs it searches for each bug, from the first seed on and for a
// minute of CPU time at most, and prints a table of them; with --bug it plays its seeds with that one. Exit codes: 0
// all held or every bug was found, 1 not, 2 the command line is wrong.
int SeedsMain(int argc, char** argv, const SeedsCampaign& campaign);

}  // namespace smsflow::sim
