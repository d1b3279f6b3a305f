// SMSFLOW_SIM_FIRST and SMSFLOW_SIM_SEEDS choose the seeds; a failing seed prints itself and the journal.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/sim/simulation.h"

namespace smsflow::sim {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

TEST(Simulation, HoldsItsInvariantsForEverySeed) {
  const std::uint64_t first = FromEnvironment("SMSFLOW_SIM_FIRST", 1);
  const std::uint64_t seeds = FromEnvironment("SMSFLOW_SIM_SEEDS", 150);
  RunReport sum;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const RunReport report = RunSeed({seed, 400});
    for (const std::string& violation : report.violations) ADD_FAILURE() << "seed " << seed << ": " << violation;
    ASSERT_TRUE(report.violations.empty()) << "repeat with SMSFLOW_SIM_FIRST=" << seed << " SMSFLOW_SIM_SEEDS=1\n"
                                           << report.journal;
    sum.scheduled += report.scheduled;
    sum.crashes += report.crashes;
    sum.submits += report.submits;
    sum.delivered += report.delivered;
  }
  // A simulation in which nothing happens proves nothing.
  EXPECT_GT(sum.scheduled, seeds * 20);
  EXPECT_GT(sum.submits, seeds * 5);
  EXPECT_GT(sum.delivered, seeds * 3);
  EXPECT_GT(sum.crashes, seeds);
  std::printf("%llu seeds: %llu scheduled, %llu submits, %llu delivered, %llu crashes\n",
              static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(sum.scheduled),
              static_cast<unsigned long long>(sum.submits), static_cast<unsigned long long>(sum.delivered),
              static_cast<unsigned long long>(sum.crashes));
}

TEST(Simulation, NoticesAnEngineThatDoesNotSync) {
  for (std::uint64_t seed = 1; seed < 20; ++seed)
    if (!RunSeed({seed, 400, /*sync=*/false}).violations.empty()) return;
  FAIL() << "no seed noticed that acknowledged work was lost";
}

TEST(Simulation, RepeatsItselfForTheSameSeed) {
  const RunReport one = RunSeed({7, 300});
  const RunReport two = RunSeed({7, 300});
  EXPECT_EQ(one.trace_hash, two.trace_hash);
  EXPECT_EQ(one.submits, two.submits);
  EXPECT_EQ(one.delivered, two.delivered);
  EXPECT_NE(one.trace_hash, RunSeed({8, 300}).trace_hash);
}

}  // namespace
}  // namespace smsflow::sim
