// The faults of a run as a table: what each is called, how often it comes, and what makes it. The names are those by
// which a part of a run is played without them (finding.h).
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace smsflow::sim {

template <class Run>
struct FaultKind {
  const char* name;
  int weight;
  void (Run::*make)();
};

template <class Run>
const FaultKind<Run>& OneOf(const std::vector<FaultKind<Run>>& kinds, std::mt19937_64& random) {
  int weights = 0;
  for (const FaultKind<Run>& kind : kinds) weights += kind.weight;
  int what = static_cast<int>(random() % static_cast<std::uint64_t>(weights));
  return *std::find_if(kinds.begin(), kinds.end(),
                       [&what](const FaultKind<Run>& kind) { return (what -= kind.weight) < 0; });
}

template <class Run>
std::vector<std::string> NamesOf(const std::vector<FaultKind<Run>>& kinds) {
  std::vector<std::string> names;
  for (const FaultKind<Run>& kind : kinds) names.emplace_back(kind.name);
  return names;
}

// So that a step does the same whichever others are left out.
inline void Reseed(std::mt19937_64& random, std::uint64_t seed, int step) {
  random.seed(seed + 0x9E3779B97F4A7C15ULL * static_cast<std::uint64_t>(step + 1));
}

}  // namespace smsflow::sim
