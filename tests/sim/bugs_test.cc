// Each seeded bug is found by the seed that docs/testing.md gives for it.
#include "tests/sim/bugs.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/sim/page.h"
#include "tests/sim/test_name.h"

namespace smsflow::sim {
namespace {

constexpr char kPage[] = "docs/testing.md";

class SeededBug : public ::testing::TestWithParam<Bug> {};

TEST_P(SeededBug, IsFound) {
  const Bug& bug = GetParam();
  const auto seeds = SeedsOfTable(ReadTable(kPage, "bugs").value_or(""));
  const auto seed = seeds.find(bug.name);
  ASSERT_NE(seed, seeds.end()) << kPage << " has no seed for \"" << bug.name << "\"; tools/dev sim --bugs --page "
                               << kPage << " searches for all and writes them";
  const Hunt hunt = HuntFor(bug, seed->second, 1);
  EXPECT_TRUE(hunt.found) << "seed " << seed->second << " does not find \"" << bug.name << "\" any more " << hunt.by
                          << "\nanother one:  tools/dev sim --bug '" << bug.name << "' --page " << kPage
                          << "\nfor all:      tools/dev sim --bugs --page " << kPage
                          << "\nIf none is found within a minute, the simulator has lost a check that it had.";
}

INSTANTIATE_TEST_SUITE_P(All, SeededBug, ::testing::ValuesIn(AllBugs()), TestName<Bug>);

TEST(SeededBugs, StandOnThePageOnceEach) {
  const auto seeds = SeedsOfTable(ReadTable(kPage, "bugs").value_or(""));
  EXPECT_EQ(seeds.size(), AllBugs().size());
  EXPECT_GE(seeds.size(), 30U);
}

TEST(SeededBugs, SayByWhatTheyAreToBeFound) {
  for (const Bug& bug : AllBugs()) EXPECT_FALSE(FinderOf(bug.name).empty()) << bug.name;
}

TEST(SeededBugs, AreNotFoundWhereNoneIs) {
  const Hunt hunt = HuntFor({"none", "nothing is wrong", [](Hooks&) {}}, 1, 3);
  EXPECT_FALSE(hunt.found) << hunt.by;
  EXPECT_EQ(hunt.seed, 3U);
}

}  // namespace
}  // namespace smsflow::sim
