// What the campaigns share: a finding becomes a short run that repeats itself, and a seed that ends its process, or
// hangs, is told with the line that repeats it.
#include "tests/sim/seeds.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>

#include "tests/sim/campaign.h"
#include "tests/sim/gateway/gateway_run.h"
#include "tests/sim/made_short.h"
#include "tests/sim/pair/pair_run.h"
#include "tests/sim/shrink.h"

namespace smsflow::sim {
namespace {

TEST(Played, IsWrittenAndReadAsRanges) {
  EXPECT_EQ(TextOf({1, 2, 3, 5, 9, 10}), "1-3,5,9-10");
  EXPECT_EQ(StepsOf("1-3,5,9-10"), (std::set<int>{1, 2, 3, 5, 9, 10}));
  for (const char* text : {"", "x", "3-1", "1-2-3", "1,,2", "0", "-1", "1-9999999999"})
    EXPECT_FALSE(StepsOf(text)) << text;
  EXPECT_EQ(LineOf("--pair", 7, {.steps = 9, .left_out = {1, 2}, .without = {"a kill", "a cut"}}),
            "tools/dev sim --pair --first 7 --seeds 1 --steps 9 --leave-out 1-2 --without \"a cut,a kill\"");
}

TEST(Findings, AreOfOneKindWithoutTheirIdsAndNumbers) {
  const auto kind = [](std::string text) {
    return KindOf({.violations = {std::move(text)}, .trace = {}, .journal = ""});
  };
  EXPECT_EQ(kind("I12 and others: shard 3: x"), "I12 and others");
  EXPECT_EQ(kind("k12 is lost, of orders[0] at 5"), kind("k7 is lost, of orders[1] at 31"));
  EXPECT_NE(kind("k12 is lost"), kind("k12 is canceled, and nobody asked for it"));
  EXPECT_EQ(KindOf({}), "");
}

// Steps 17 and 40 together, unless nobody is killed; what else happens is not to the point.
Finding Toy(const Played& played) {
  Finding finding;
  for (const int step : {5, 17, 23, 40})
    if (step <= played.steps && !played.left_out.contains(step))
      finding.trace.push_back("step " + std::to_string(step));
  const auto& trace = finding.trace;
  const auto has = [&trace](const char* line) { return std::find(trace.begin(), trace.end(), line) != trace.end(); };
  if (has("step 17") && has("step 40") && !played.without.contains("kill")) finding.violations = {"P1: twice"};
  if (!played.without.contains("cut")) finding.trace.push_back("a cut");
  finding.step = 40;
  return finding;
}

TEST(Shrinking, KeepsWhatMattersAndNothingElse) {
  const Played whole{.steps = 60};
  const Shrunk shrunk = Shrink(whole, Toy(whole), {"kill", "cut", "never"}, Toy);
  EXPECT_EQ(shrunk.finding.trace, (std::vector<std::string>{"step 17", "step 40"}));
  EXPECT_EQ(shrunk.played.steps, 40);
  EXPECT_EQ(shrunk.played.left_out.size(), 38U);
  EXPECT_EQ(shrunk.played.without, std::set<std::string>{"cut"}) << "a kill matters, and the third changes nothing";
}

TEST(Shrinking, EndsWithItsTime) {
  const Played whole{.steps = 60};
  const Shrunk shrunk = Shrink(whole, Toy(whole), {"kill", "cut"}, Toy, /*cpu_s_max=*/0);
  EXPECT_EQ(shrunk.runs, 0);
  EXPECT_EQ(shrunk.finding.trace, Toy(whole).trace);
}

TEST(Shrinking, OfAGateway) {
  ExpectMadeShort<GatewayHooks>(300, Named(AllGatewayBugs(), "submitted twice").plant, GatewayFaultKinds(),
                                [](std::uint64_t seed, const Played& played, const GatewayHooks& hooks) -> Finding {
                                  return RunGatewaySeed({.seed = seed, .played = played, .bug = hooks});
                                });
}

TEST(Shrinking, OfEngineAndGateway) {
  ExpectMadeShort<PairHooks>(300, Named(AllPairBugs(), "one store for all").plant, PairFaultKinds(),
                             [](std::uint64_t seed, const Played& played, const PairHooks& hooks) -> Finding {
                               return RunPairSeed({.seed = seed, .played = played, .bug = hooks});
                             });
}

// A loop that no optimiser may take away.
void Hang() {
  // Not a loop of nothing: ThreadSanitizer passes a signal on where the program next calls something.
  for (volatile bool on = true; on;) ::poll(nullptr, 0, 1);
}

constexpr int kHangsAfter_s = 2, kNeverHangs_s = 60;

// A gateway of which one seed ends, or hangs, in the midst of the product's own code.
void PlaySeeds(const std::function<void()>& ends, int hangs_after_s = kNeverHangs_s) {
  const auto play = [ends](std::uint64_t seed, const Played& played) -> Finding {
    GatewayHooks hooks;
    hooks.submit = [seed, ends](std::vector<engine::Lease>&) {
      if (seed >= 3) ends();  // not every seed comes so far
    };
    return RunGatewaySeed({.seed = seed, .played = played, .bug = hooks});
  };
  SeedArguments arguments;
  arguments.seeds = 20;
  arguments.played.steps = 100;
  RunSeeds(arguments, {"--gateway", {}, play, hangs_after_s});
}
constexpr char kGatewaysLine[] = "[^\n]*\nagain: tools/dev sim --gateway --first [0-9]+ --seeds 1 --steps 100\n";

TEST(SeedWatchDeathTest, ASeedThatAbortsIsTold) {
  EXPECT_DEATH(PlaySeeds([] { std::abort(); }), std::string("seed [0-9]+ ended by an assertion") + kGatewaysLine);
}
TEST(SeedWatchDeathTest, ASeedWithAFaultOfMemoryIsTold) {
  EXPECT_DEATH(PlaySeeds([] { std::raise(SIGSEGV); }), std::string("seed [0-9]+ ended by a s") + kGatewaysLine);
}
TEST(SeedWatchDeathTest, ASeedThatHangsIsTold) {
  EXPECT_DEATH(PlaySeeds(Hang, kHangsAfter_s), std::string("seed [0-9]+ hangs") + kGatewaysLine);
}
TEST(SeedWatchDeathTest, OnlyTheSeedThatIsPlayedIsTold) {
  EXPECT_DEATH(
      {
        PlaySeeds([] {});
        std::abort();
      },
      "^$");
}

// The engine's own campaign, alone and in processes of which one ends.
CampaignOptions EngineThat(const std::function<void()>& ends, int hangs_after_s = kNeverHangs_s) {
  CampaignOptions options;
  options.seeds = 4;
  options.played.steps = 100;
  options.hangs_after_s = hangs_after_s;
  options.bug.create = [ends, created = 0](engine::CreateRequest&) mutable {
    if (++created == 5) ends();
  };
  return options;
}
constexpr char kEnginesLine[] = "[^\n]*\nagain: tools/dev sim --first [1-4] --seeds 1 --steps 100\n";

TEST(SeedWatchDeathTest, ASeedOfTheEngineThatAbortsIsTold) {
  EXPECT_DEATH(Campaign(EngineThat([] { std::abort(); })),
               std::string("seed [1-4] ended by an assertion") + kEnginesLine);
}
TEST(SeedWatchDeathTest, ASeedOfTheEngineThatHangsIsTold) {
  EXPECT_DEATH(Campaign(EngineThat(Hang, kHangsAfter_s)), std::string("seed [1-4] hangs") + kEnginesLine);
}
TEST(SeedWatchDeathTest, ASeedThatEndsOneOfManyProcessesIsTold) {
  CampaignOptions options = EngineThat([] { std::abort(); });
  options.jobs = 2;
  EXPECT_EXIT(std::exit(Campaign(options).failed ? 7 : 0), ::testing::ExitedWithCode(7),
              std::string("seed [1-4] ended by an assertion") + kEnginesLine);
}

}  // namespace
}  // namespace smsflow::sim
