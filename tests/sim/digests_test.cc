// The same seed makes the same run in every build: debug, release and with sanitizers. What the runs of some seeds come
// to stands in tests/sim/digests.txt, and every build must come to it.
#include "tests/sim/digests.h"

#include <gtest/gtest.h>

#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/sim/simulation.h"

namespace smsflow::sim {
namespace {

// Neighbours differ in how many partitions there are, in caches, batches, budgets and themes.
constexpr std::array<std::uint64_t, 16> kSeeds{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 20, 21, 30, 35};

std::string LineOf(std::uint64_t seed) {
  RunOptions options;
  options.seed = seed;
  const RunReport report = RunSeed(options);
  EXPECT_TRUE(report.violations.empty()) << "seed " << seed << ": " << report.violations.front();
  char line[120];
  std::snprintf(line, sizeof(line), "%" PRIu64 " %016" PRIx64 " %016" PRIx64 " %" PRIu64, seed, report.trace_hash,
                report.journals, report.submits);
  return line;
}

TEST(Digests, AreTheSameInEveryBuild) {
  std::vector<std::string> found;
  for (const std::uint64_t seed : kSeeds) found.push_back(LineOf(seed));
  ExpectDigests("tests/sim/digests.txt",
                "seed, digest of what was decided, digest of all journals,\n# and how many attempts were submitted",
                "build/tests/sim_test --gtest_filter='Digests.*'", found);
}

}  // namespace
}  // namespace smsflow::sim
