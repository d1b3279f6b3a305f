// Seeds over the modelled Kafka hold, repeat themselves, and find each bug that is put in.
#include "tests/sim/kafka_run.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/digests.h"
#include "tests/sim/made_short.h"
#include "tests/sim/test_name.h"

namespace smsflow::sim {
namespace {

constexpr std::uint64_t kSeeds = 40;
constexpr std::uint64_t kBugSeeds = 200;  // a bug that shows only beside another fault takes longer

TEST(KafkaSim, SeedsHold) {
  KafkaReport all;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const KafkaReport report = RunKafkaSeed({.seed = seed});
    EXPECT_TRUE(report.violations.empty()) << TextOf(report, LineOf("--kafka", seed, {.steps = 120}));
    all.records += report.records;
    all.submits += report.submits;
    all.crashes += report.crashes;
    all.letters += report.letters;
    all.stopped += report.stopped;
    all.canceled += report.canceled;
  }
  // What never happens is not tested.
  EXPECT_GT(all.records, 50 * kSeeds);
  EXPECT_GT(all.submits, 10 * kSeeds);
  EXPECT_GT(all.crashes, kSeeds);
  EXPECT_GT(all.letters, kSeeds);
  EXPECT_GT(all.stopped, 0U);
  EXPECT_LT(all.stopped, kSeeds * 2 * 2 / 5);  // of two partitions a seed: what is stopped is tried no further
  EXPECT_GT(all.canceled, kSeeds / 2);
  std::cout << kSeeds << " seeds: " << all.records << " records, " << all.submits << " submits, " << all.crashes
            << " crashes, " << all.letters << " letters, " << all.stopped << " partitions stopped, " << all.canceled
            << " canceled before their slot\n";
}

TEST(KafkaSim, ABrokerThatIsAwayForAnHourLosesAndDoublesNothingAndWhatIsLateExpires) {
  std::uint64_t submits = 0, late = 0;
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    const KafkaReport report = RunKafkaOutage({.seed = seed});
    EXPECT_TRUE(report.violations.empty()) << TextOf(report, LineOf("--kafka", seed, {.steps = 120}));
    submits += report.submits;
    late += report.late;
  }
  EXPECT_GT(submits, 200U);
  EXPECT_GT(late, 100U);
}

TEST(KafkaSim, ASeedRepeatsItself) {
  const KafkaReport once = RunKafkaSeed({.seed = 7}), twice = RunKafkaSeed({.seed = 7});
  EXPECT_EQ(once.trace_hash, twice.trace_hash);
  EXPECT_EQ(once.records, twice.records);
  EXPECT_EQ(once.submits, twice.submits);
  EXPECT_NE(once.trace_hash, RunKafkaSeed({.seed = 8}).trace_hash);
}

TEST(KafkaSim, AFindingIsMadeShort) {
  ExpectMadeShort<KafkaHooks>(120, Named(KafkaBugs(), "cancels dropped").plant, KafkaFaultKinds(),
                              [](std::uint64_t seed, const Played& played, const KafkaHooks& hooks) -> Finding {
                                return RunKafkaSeed({.seed = seed, .played = played, .bug = hooks});
                              });
}

TEST(KafkaSim, ComeToTheSameInEveryBuild) {
  ExpectSeedDigests("tests/sim/kafka_digests.txt", "all that was done",
                    "build/tests/sim_kafka_test --gtest_filter='*InEveryBuild'", [](std::uint64_t seed) {
                      const auto report = RunKafkaSeed({.seed = seed});
                      return std::pair{report.trace_hash, std::uint64_t{report.submits}};
                    });
}

class KafkaBugTest : public ::testing::TestWithParam<KafkaBug> {};

TEST_P(KafkaBugTest, IsFound) {
  KafkaRunOptions options;
  GetParam().plant(options.bug);
  for (options.seed = 1; options.seed <= kBugSeeds; ++options.seed) {
    const KafkaReport report = RunKafkaSeed(options);
    if (report.violations.empty()) continue;
    std::cout << "found by seed " << options.seed << ": " << report.violations.front() << "\n";
    return;
  }
  ADD_FAILURE() << "no seed finds it: " << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(All, KafkaBugTest, ::testing::ValuesIn(KafkaBugs()), TestName<KafkaBug>);

}  // namespace
}  // namespace smsflow::sim
