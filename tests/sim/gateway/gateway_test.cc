// Gateways under simulation: that all holds in some seeds, that a seed repeats itself, and that each seeded bug is
// found.
#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/digests.h"
#include "tests/sim/gateway/gateway_run.h"
#include "tests/sim/test_name.h"

namespace smsflow::sim {
namespace {

TEST(GatewaySimulation, KeepsItsPromises) {
  std::map<std::string, std::uint64_t> ends;
  std::uint64_t crashes = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const GatewayRunReport report = RunGatewaySeed({.seed = seed});
    ASSERT_TRUE(report.violations.empty()) << TextOf(report, LineOf("--gateway", seed, {.steps = 300}));
    for (const auto& [end, count] : report.ends) ends[end] += count;
    crashes += report.crashes;
  }
  // A simulation that never gets anywhere keeps every promise.
  for (const char* end :
       {"DELIVERED", "SENT", "UNKNOWN", "EXPIRED", "FAILED", "FAILED_PERMANENT", "INVALID", "NEVER_SEEN"})
    EXPECT_GE(ends[end], 10U) << end;
  EXPECT_GE(crashes, 100U);
}

TEST(GatewaySimulation, RepeatsItself) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    EXPECT_EQ(RunGatewaySeed({.seed = seed}).digest, RunGatewaySeed({.seed = seed}).digest) << seed;
}

TEST(GatewaySimulation, ComeToTheSameInEveryBuild) {
  ExpectSeedDigests("tests/sim/gateway/digests.txt", "submits and ends",
                    "build/tests/sim_gateway_test --gtest_filter='*InEveryBuild'", [](std::uint64_t seed) {
                      const auto report = RunGatewaySeed({.seed = seed});
                      return std::pair{report.digest, std::uint64_t{report.submits}};
                    });
}

class GatewayBugTest : public ::testing::TestWithParam<GatewayBug> {};

// By the seed that found it last, or by another one when runs have become others.
TEST_P(GatewayBugTest, IsFound) {
  constexpr std::uint64_t kSeeds = 3'000;
  const GatewayBug& bug = GetParam();
  for (std::uint64_t tried = 0; tried <= kSeeds; ++tried) {
    GatewayRunOptions options{.seed = tried == 0 ? bug.seed : tried};
    bug.plant(options.bug);  // afresh: it may count
    const GatewayRunReport report = RunGatewaySeed(options);
    if (report.violations.empty()) continue;
    std::cout << "found by seed " << options.seed << ": " << report.violations.front() << "\n";
    return;
  }
  FAIL() << "no seed up to " << kSeeds << " finds \"" << bug.name << "\": " << bug.what;
}

INSTANTIATE_TEST_SUITE_P(All, GatewayBugTest, ::testing::ValuesIn(AllGatewayBugs()), TestName<GatewayBug>);

}  // namespace
}  // namespace smsflow::sim
