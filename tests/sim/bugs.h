// Bugs that are put in on purpose, each at a seam and for one run only, to see that the simulator finds them. Most are
// mistakes that engines of this kind have had. A bug that no seed finds is a gap of the simulator.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/hooks.h"

namespace smsflow::sim {

struct Bug {
  std::string name;
  std::string what;
  std::function<void(Hooks&)> plant;
};

// What the violation must say by which this bug is to be found, without ids; one of "|" between them. A bug that is
// found by anything else shows nothing about the check that it was made for. Empty: the bug has no line.
std::string_view FinderOf(std::string_view bug);

std::vector<Bug> AllBugs();
// Its parts, by the seam that they take hold of.
std::vector<Bug> StoreBugs();
std::vector<Bug> WorkflowBugs();
std::vector<Bug> DoorBugs();

struct Hunt {
  bool found = false;
  std::uint64_t seed = 0;  // the last that was run
  double cpu_s = 0;
  std::string by;  // what was violated, or which way the engine ended
};
// Tries seed after seed until one finds it by what FinderOf() asks for, at most so many, and for at most a minute of
// CPU time: what takes longer counts as not found. In a process of its own, for a bug may also run into an assertion of
// the engine, which is as good. Blocks.
inline constexpr double kHuntMaxCpuS = 60;
Hunt HuntFor(const Bug& bug, std::uint64_t first_seed, std::uint64_t seeds_max = ~0ULL);

// The table of them on docs/testing.md, which also keeps the seeds that find them.
std::string TableHead();
std::string TableRow(const Bug& bug, const Hunt& hunt);
// By name of the bug.
std::map<std::string, std::uint64_t> SeedsOfTable(const std::string& table);

}  // namespace smsflow::sim
