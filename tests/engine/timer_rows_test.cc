// One row in the index wakes an instance for all its timers: rows are saved, and no timer is ever missed for it.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "storage/keys.h"
#include "tests/engine/world.h"

namespace smsflow::engine {
namespace {

using courier::Parcel;

// When the rows stand that still wake it, earliest first.
std::vector<std::int64_t> RowsOf(const World& world, const InstanceId& id) {
  std::vector<std::int64_t> rows;
  const std::string prefix(storage::Key('t', id.shard()).view());
  for (auto row = world.memory.Scan(storage::Family::kQueues, prefix, storage::PrefixEnd(prefix)); row->Valid();
       row->Next()) {
    const auto key = storage::TimerKey::Decode(row->key());
    if (key && key->instance == id && key->due_ms > world.clock.wall_ms) rows.push_back(key->due_ms);
  }
  return rows;
}

// Every live timer that is still to come has a row at or before it.
void ExpectWoken(World& world, const InstanceId& id) {
  const auto state = world.StateOf(id);
  if (!state) return;
  const auto rows = RowsOf(world, id);
  for (const auto& timer : state->timers()) {
    const std::int64_t at = timer.index_ms() != 0 ? timer.index_ms() : timer.due_ms();
    if (at <= world.clock.wall_ms) continue;  // a gated one that waits for credit
    ASSERT_FALSE(rows.empty()) << "timer " << timer.name() << " has nothing that wakes it\n" << world.Journal();
    EXPECT_LE(rows.front(), at) << "timer " << timer.name() << " is woken too late\n" << world.Journal();
  }
}

class TimerRows : public ::testing::Test {
 protected:
  InstanceId Due(std::int64_t in_ms) {
    return world_.Create("t", "a", {world_.clock.wall_ms + in_ms, "", std::nullopt, ""}).id;
  }
  World world_;
  std::shared_ptr<Inbox> inbox_;
};

TEST_F(TimerRows, ARowWhoseTimerWasClearedServesALaterTimer) {
  auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  const InstanceId id = Due(10);
  world_.AdvanceAndRun(10, 10);
  const std::vector<std::int64_t> ask{world_.clock.wall_ms + courier::kAskAfterMs};
  EXPECT_EQ(RowsOf(world_, id), ask);
  EXPECT_EQ(world_.Report(*session, inbox_->leases.at(0).attempt, "done"), ReportOutcome::kApplied);
  const std::vector<std::int64_t> erase{world_.clock.wall_ms + courier::kKeepMs};
  EXPECT_EQ(RowsOf(world_, id), ask) << "retention has no row of its own yet";
  world_.AdvanceAndRun(courier::kAskAfterMs, 100);
  EXPECT_EQ(RowsOf(world_, id), erase);
  world_.AdvanceAndRun(courier::kKeepMs - courier::kAskAfterMs - 1, 500);
  EXPECT_TRUE(world_.StateOf(id).has_value());
  world_.AdvanceAndRun(1, 1);
  EXPECT_FALSE(world_.StateOf(id).has_value());
  EXPECT_EQ(world_.Violations(), "");
}

TEST_F(TimerRows, TimersThatComeDueWhileNothingRunsAllFireAfterwards) {
  auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  const InstanceId id = Due(10);
  world_.AdvanceAndRun(10, 10);
  EXPECT_EQ(world_.Report(*session, inbox_->leases.at(0).attempt, "done"), ReportOutcome::kApplied);
  session.reset();
  world_.Crash();
  world_.Advance(courier::kKeepMs + 1);  // the row and the timer that it covers are both overdue
  world_.Open();
  world_.AdvanceAndRun(100, 10);
  EXPECT_FALSE(world_.StateOf(id).has_value());
  EXPECT_EQ(world_.Violations(), "");
}

TEST_F(TimerRows, ARowFarAwayGoesWhenNothingNeedsIt) {
  const InstanceId id = Due(7 * 86'400'000);
  EXPECT_EQ(RowsOf(world_, id).size(), 1U);
  EXPECT_TRUE(world_.Send(id, courier::Simple(courier::kStop)).status.ok());
  const std::vector<std::int64_t> erase{world_.clock.wall_ms + courier::kKeepMs};
  EXPECT_EQ(RowsOf(world_, id), erase);
}

// The partition was held up: what comes due meanwhile is found together with a report, and right after that it is
// killed.
TEST_F(TimerRows, ATimerThatIsOverdueWhenAnEventComesIsNotLostWithTheProcess) {
  auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  const InstanceId id = Due(10);
  world_.AdvanceAndRun(10, 10);
  const AttemptId attempt = inbox_->leases.at(0).attempt;
  EXPECT_EQ(world_.Report(*session, attempt, "done"), ReportOutcome::kApplied);
  world_.Advance(courier::kKeepMs + 1'000);
  session->Report(attempt, courier::Simple(courier::kReport, "accepted"), [](ReportAnswer) {});
  world_.engine->RunOnce();
  session.reset();
  world_.Crash();
  world_.Open();
  world_.AdvanceAndRun(1'000, 10);
  EXPECT_FALSE(world_.StateOf(id).has_value());
  EXPECT_EQ(world_.Violations(), "");
}

// Its last record is still on its way to the store when its time is up: the body goes with the others all the same.
TEST_F(TimerRows, WhatIsErasedLeavesNoBodyOfTheSameRound) {
  const InstanceId id = Due(7 * 86'400'000);
  EXPECT_TRUE(world_.Send(id, courier::Simple(courier::kStop)).status.ok());
  world_.Advance(courier::kKeepMs);
  world_.engine->Send({id, "t", "tester", courier::Simple(courier::kTold), std::nullopt}, [](Answer) {});
  world_.engine->RunOnce();
  world_.Crash();
  world_.Open();
  world_.AdvanceAndRun(100, 10);
  EXPECT_FALSE(world_.StateOf(id).has_value());
  EXPECT_EQ(world_.Violations(), "");
}

// Whatever happens in whatever order, with the process killed now and then, every timer keeps something that wakes it,
// and in the end all is erased.
TEST(TimerRowsWalk, NoTimerIsEverLeftWithoutARow) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world({}, seed);
    SeededRandom dice(seed);
    std::shared_ptr<Inbox> inbox;
    auto session = world.Attach("g", "s1", {"t"}, 3, inbox);
    std::vector<InstanceId> parcels;
    for (int step = 0; step < 250; ++step) {
      const std::uint64_t roll = dice.Next64() % 100;
      if (roll < 20) {
        const auto in_ms = static_cast<std::int64_t>(dice.Next64() % (roll < 4 ? 20'000'000 : 3'000));
        parcels.push_back(
            world.Create("t", "x" + std::to_string(step), {world.clock.wall_ms + in_ms, "", std::nullopt, ""}).id);
      } else if (roll < 60 && !inbox->leases.empty()) {
        const AttemptId& attempt = inbox->leases[dice.Next64() % inbox->leases.size()].attempt;
        world.Report(*session, attempt, roll < 40 ? "done" : roll < 50 ? "failed" : "accepted");
      } else if (roll < 65 && !parcels.empty()) {
        world.Send(parcels[dice.Next64() % parcels.size()], courier::Simple(courier::kStop));
      } else if (roll < 68) {
        session.reset();
        world.Crash();
        world.Open();
        session = world.Attach("g", "s1", {"t"}, 3, inbox);
      } else {
        world.AdvanceAndRun(static_cast<std::int64_t>(dice.Next64() % 1'500), 100);
      }
      for (const InstanceId& id : parcels) ASSERT_NO_FATAL_FAILURE(ExpectWoken(world, id)) << "step " << step;
    }
    EXPECT_EQ(world.Violations(), "");
    for (int quiet = 0; quiet < 200; ++quiet) {
      world.AdvanceAndRun(200'000, 20'000);
      for (std::size_t i = 0; i < inbox->leases.size(); ++i) world.Report(*session, inbox->leases[i].attempt, "done");
      inbox->leases.clear();
    }
    for (const InstanceId& id : parcels) EXPECT_FALSE(world.StateOf(id).has_value()) << world.Journal();
  }
}

}  // namespace
}  // namespace smsflow::engine
