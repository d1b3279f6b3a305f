// Seeds over the modelled Kafka hold, repeat themselves, and find each bug that is put in.
#include "tests/sim/kafka_run.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

namespace smsflow::sim {
namespace {

constexpr int kSteps = 120;
constexpr std::uint64_t kSeeds = 40;
constexpr std::uint64_t kBugSeeds = 200;  // a bug that shows only beside another fault takes longer

TEST(KafkaSim, SeedsHold) {
  KafkaReport all;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const KafkaReport report = RunKafka(seed, kSteps);
    for (const std::string& violation : report.violations) ADD_FAILURE() << "seed " << seed << ": " << violation;
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
  EXPECT_GT(all.canceled, kSeeds / 2);
  std::cout << kSeeds << " seeds: " << all.records << " records, " << all.submits << " submits, " << all.crashes
            << " crashes, " << all.letters << " letters, " << all.stopped << " partitions stopped, " << all.canceled
            << " canceled before their slot\n";
}

TEST(KafkaSim, ABrokerThatIsAwayForAnHourLosesAndDoublesNothingAndWhatIsLateExpires) {
  std::uint64_t submits = 0, late = 0;
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    const KafkaReport report = RunKafkaOutage(seed);
    for (const std::string& violation : report.violations) ADD_FAILURE() << "seed " << seed << ": " << violation;
    submits += report.submits;
    late += report.late;
  }
  EXPECT_GT(submits, 200U);
  EXPECT_GT(late, 100U);
}

TEST(KafkaSim, ASeedRepeatsItself) {
  const KafkaReport once = RunKafka(7, kSteps), twice = RunKafka(7, kSteps);
  EXPECT_EQ(once.trace_hash, twice.trace_hash);
  EXPECT_EQ(once.records, twice.records);
  EXPECT_EQ(once.submits, twice.submits);
  EXPECT_NE(once.trace_hash, RunKafka(8, kSteps).trace_hash);
}

class KafkaBugTest : public ::testing::TestWithParam<KafkaBug> {};

TEST_P(KafkaBugTest, IsFound) {
  KafkaHooks hooks;
  GetParam().plant(hooks);
  for (std::uint64_t seed = 1; seed <= kBugSeeds; ++seed) {
    const KafkaReport report = RunKafka(seed, kSteps, hooks);
    if (report.violations.empty()) continue;
    std::cout << "found by seed " << seed << ": " << report.violations.front() << "\n";
    return;
  }
  ADD_FAILURE() << "no seed finds it: " << GetParam().what;
}

std::string TestName(const ::testing::TestParamInfo<KafkaBug>& info) {
  std::string name;
  bool upper = true;
  for (const char c : info.param.name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      name += static_cast<char>(upper ? std::toupper(static_cast<unsigned char>(c)) : c);
    upper = std::isalnum(static_cast<unsigned char>(c)) == 0;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, KafkaBugTest, ::testing::ValuesIn(KafkaBugs()), TestName);

}  // namespace
}  // namespace smsflow::sim
