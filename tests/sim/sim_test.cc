// DEV_SIM_FIRST and DEV_SIM_SEEDS choose the seeds; a failing seed prints itself and the journal.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>

#include "tests/engine/world.h"
#include "tests/sim/shrink.h"
#include "tests/sim/simulation.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::sim {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// What is counted under a name that nobody asks for is asserted by nobody.
void ExpectNamesAreAskedFor(const Coverage& coverage) {
  const auto names = NamesToReach();
  const std::set<std::string> asked_for(names.begin(), names.end());
  for (const auto& [name, count] : coverage.counts())
    for (const char* kind : {"command ", "event ", "fault ", "met ", "check "})
      EXPECT_TRUE(name.rfind(kind, 0) != 0 || asked_for.count(name) == 1) << name << " is counted and not asked for";
}

// Every invariant has a check, and each check was made.
void ExpectChecked(const Coverage& coverage) {
  std::set<int> invariants;
  for (const std::string& name : NamesToReach()) {
    int invariant = 0;
    if (std::sscanf(name.c_str(), "check I%d ", &invariant) != 1) continue;
    invariants.insert(invariant);
    EXPECT_GT(coverage.Of(name), 0U) << name;
  }
  EXPECT_EQ(invariants.size(), 20U);
  EXPECT_EQ(*invariants.begin(), 1);
  EXPECT_EQ(*invariants.rbegin(), 20);
}

TEST(Simulation, HoldsItsInvariantsForEverySeed) {
  const std::uint64_t first = FromEnvironment("DEV_SIM_FIRST", 1);
  const std::uint64_t seeds = FromEnvironment("DEV_SIM_SEEDS", 100);
  RunReport sum;
  Coverage coverage;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    RunOptions options;
    options.seed = seed;
    options.coverage = &coverage;
    const RunReport report = RunSeed(options);
    for (const std::string& violation : report.violations)
      ADD_FAILURE() << "seed " << seed << ", step " << report.step << ": " << violation;
    ASSERT_TRUE(report.violations.empty()) << "repeat with tools/dev sim --first " << seed << " --seeds 1\n"
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
  ExpectNamesAreAskedFor(coverage);
  if (seeds >= 20) ExpectChecked(coverage);
  // The whole list is the standard run's to reach; so few seeds reach nearly all of it.
  const auto names = NamesToReach(), never = Below(coverage, names, 1);
  if (seeds >= 100) {
    EXPECT_LT(never.size() * 20, names.size()) << "such as " << never.front();
  }
  std::printf("%llu seeds: %llu scheduled, %llu submits, %llu delivered, %llu crashes\n",
              static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(sum.scheduled),
              static_cast<unsigned long long>(sum.submits), static_cast<unsigned long long>(sum.delivered),
              static_cast<unsigned long long>(sum.crashes));
}

RunReport ShortRun(std::uint64_t seed) {
  RunOptions options;
  options.seed = seed;
  options.played.steps = 300;
  return RunSeed(options);
}

TEST(Simulation, NoticesAnEngineThatDoesNotSync) {
  RunOptions options;
  options.bug.sync = [](storage::Sync) { return storage::Sync::kNo; };
  for (options.seed = 1; options.seed < 20; ++options.seed)
    if (!RunSeed(options).violations.empty()) return;
  FAIL() << "no seed noticed that acknowledged work was lost";
}

TEST(Simulation, MakesAFindingShorter) {
  RunOptions options;
  options.bug.reads_no_sets = true;  // a block is not read
  RunReport found = RunSeed(options);
  while (found.violations.empty() && ++options.seed < 20) found = RunSeed(options);
  ASSERT_FALSE(found.violations.empty());
  const auto play = [&options](const Played& played) -> Finding {
    return RunSeed({.seed = options.seed, .played = played, .bug = options.bug});
  };
  const Shrunk shrunk = Shrink(options.played, found, FaultKinds(), play);
  EXPECT_EQ(KindOf(shrunk.finding), KindOf(found));
  EXPECT_LT(shrunk.finding.trace.size() * 2, found.trace.size());
  EXPECT_FALSE(shrunk.finding.journal.empty());
  const Finding again = play(shrunk.played);
  EXPECT_EQ(again.trace, shrunk.finding.trace);
  EXPECT_EQ(again.violations, shrunk.finding.violations);
}

TEST(Simulation, RepeatsItselfForTheSameSeed) {
  for (const std::uint64_t seed : {7, 8, 9}) {
    const RunReport one = ShortRun(seed), two = ShortRun(seed);
    EXPECT_EQ(one.trace_hash, two.trace_hash);
    EXPECT_EQ(one.journals, two.journals);
    EXPECT_EQ(one.submits, two.submits);
    EXPECT_EQ(one.delivered, two.delivered);
    EXPECT_NE(one.trace_hash, ShortRun(seed + 10).trace_hash);
    EXPECT_NE(one.journals, ShortRun(seed + 10).journals);
  }
}

// The simulator's own mistakes: an SMS whose time was over was erased between a request that bore its key and the
// answer; or it was, by the mended clock of an engine that goes on; a pause was asked for in the midst of a resume of
// all.
TEST(Simulation, WhatItOnceMisjudgedHolds) {
  RunOptions options;
  for (const std::uint64_t seed : {554'015'002'470UL, 7'990UL, 74'270'006'566UL}) {
    options.seed = seed;
    const RunReport report = RunSeed(options);
    EXPECT_TRUE(report.violations.empty()) << seed << ": " << report.violations.front();
  }
}

// Found by a seed: a row that woke the SMS was passed by a clock that was ahead; when that is right again, the SMS
// counts on the row once more.
TEST(Simulation, WhatAClockAheadHasPassedWakesAgainWhenItIsRight) {
  namespace delivery = workflows::delivery;
  engine::World world;
  world.workflow = delivery::MakeDeliveryWorkflow();
  delivery::Policy policy;
  policy.ack_receipt_timeout_ms = 20 * 60'000;
  world.policy.bytes = delivery::EncodePolicy(policy);
  world.Open();
  std::shared_ptr<engine::Inbox> inbox;
  auto session = world.Attach("g", "s", {"t"}, 1, inbox);

  const std::int64_t now_s = world.clock.wall_ms / 1000;
  delivery::Schedule schedule;
  schedule.fixed.slots = {{now_s, now_s + 600}};
  engine::CreateRequest request;
  request.workflow = delivery::kWorkflowNumber;
  request.tenant = "t";
  request.payload = "sealed";
  request.event = delivery::EncodeSchedule(schedule);
  InstanceId id;
  world.engine->Create(std::move(request), [&](const engine::Answer& answer) { id = answer.id; });
  world.AdvanceAndRun(100);
  ASSERT_EQ(inbox->leases.size(), 1U);
  const auto report = [&](delivery::Reported reported) {
    session->Report(inbox->leases[0].attempt, delivery::EncodeReport({1, reported, {}, "", 0}),
                    [](engine::ReportAnswer) {});
    world.Run();
  };
  report(delivery::Reported::kUnknown);
  world.Send(id, delivery::EncodeResolve(delivery::How::kGiveUp));
  world.AdvanceAndRun(700'000, 10'000);  // the row of the slot's end is passed
  world.clock.wall_ms -= 700'000;
  world.Run();
  world.engine->TrustClock();
  world.Run();
  report(delivery::Reported::kSent);
  EXPECT_EQ(world.StateNumber(id), static_cast<std::uint16_t>(delivery::State::kSent));
  world.AdvanceAndRun(30 * 60'000, 10'000);
  EXPECT_EQ(world.StateNumber(id), static_cast<std::uint16_t>(delivery::State::kUnconfirmed));
}

}  // namespace
}  // namespace smsflow::sim
