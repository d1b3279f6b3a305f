// An engine and a gateway under simulation together: that all holds in some seeds, that a seed repeats itself, and that
// each seeded bug is found.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/digests.h"
#include "tests/sim/pair/pair_run.h"
#include "tests/sim/test_name.h"

namespace smsflow::sim {
namespace {

constexpr std::uint64_t kSeeds = 60;
constexpr std::uint64_t kBugSeeds = 1'000;

TEST(PairSimulation, KeepsItsPromises) {
  std::map<std::string, std::uint64_t> ends, met;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const PairRunReport report = RunPairSeed({.seed = seed});
    ASSERT_TRUE(report.violations.empty()) << TextOf(report, LineOf("--pair", seed, {.steps = 300}));
    for (const auto& [end, count] : report.ends) ends[end] += count;
    for (const auto& [name, count] : report.faults) met[name] += count;
  }
  // A simulation in which little happens keeps every promise.
  for (const char* end : {"DELIVERED", "EXPIRED", "CANCELED", "BLOCKED", "INVALID", "UNCONFIRMED", "UNKNOWN"})
    EXPECT_GE(ends[end], 20U) << end;
  for (const std::string& name : PairNamesToReach()) EXPECT_GE(met[name], 1U) << name;
}

TEST(PairSimulation, RepeatsItself) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    EXPECT_EQ(RunPairSeed({.seed = seed}).digest, RunPairSeed({.seed = seed}).digest) << seed;
  EXPECT_NE(RunPairSeed({.seed = 1}).digest, RunPairSeed({.seed = 2}).digest);
}

TEST(PairSimulation, ComeToTheSameInEveryBuild) {
  ExpectSeedDigests("tests/sim/pair/digests.txt", "submits, words and ends",
                    "build/tests/sim_pair_test --gtest_filter='*InEveryBuild'", [](std::uint64_t seed) {
                      const auto report = RunPairSeed({.seed = seed});
                      return std::pair{report.digest, std::uint64_t{report.submits}};
                    });
}

class PairBugTest : public ::testing::TestWithParam<PairBug> {};

// By the seed that found it last, or by another one when runs have become others.
TEST_P(PairBugTest, IsFound) {
  spdlog::set_level(spdlog::level::off);
  const PairBug& bug = GetParam();
  for (std::uint64_t tried = 0; tried <= kBugSeeds; ++tried) {
    PairRunOptions options{.seed = tried == 0 ? bug.seed : tried};
    bug.plant(options.bug);  // afresh: it may count
    const PairRunReport report = RunPairSeed(options);
    if (report.violations.empty()) continue;
    const std::string& as = report.violations.front();
    std::cout << "found by seed " << options.seed << ": " << as << "\n";
    const std::string invariant = " " + as.substr(0, as.find(':')) + " ";
    EXPECT_TRUE(bug.breaks.empty() || (" " + bug.breaks + " ").find(invariant) != std::string::npos) << as;
    return;
  }
  FAIL() << "no seed up to " << kBugSeeds << " finds \"" << bug.name << "\": " << bug.what;
}

INSTANTIATE_TEST_SUITE_P(All, PairBugTest, ::testing::ValuesIn(AllPairBugs()), TestName<PairBug>);

}  // namespace
}  // namespace smsflow::sim
