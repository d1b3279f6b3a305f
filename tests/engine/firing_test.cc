#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "engine/ready.h"
#include "tests/engine/world.h"

namespace smsflow::engine {
namespace {

using courier::Parcel;

class Firing : public ::testing::Test {
 protected:
  Answer Due(std::int64_t in_ms, const std::string& tenant = "t", const std::string& target = "") {
    return world_.Create(tenant, target, {world_.clock.wall_ms + in_ms, "", std::nullopt, ""});
  }
  // After a life, with a clock that is a day behind what that stored.
  void StartADayBehind() {
    auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
    Due(100);
    world_.AdvanceAndRun(3'000);
    session.reset();
    world_.Crash();
    world_.clock.wall_ms -= 86'400'000;
    world_.Open();
  }
  World world_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
};

TEST_F(Firing, HappensWhenDueAndNotBefore) {
  auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  const auto parcel = Due(500);
  world_.AdvanceAndRun(499);
  EXPECT_TRUE(inbox_->leases.empty());
  world_.AdvanceAndRun(1);
  ASSERT_EQ(inbox_->leases.size(), 1U);
  EXPECT_EQ(inbox_->leases[0].attempt, (AttemptId{parcel.id, 1}));
  EXPECT_EQ(inbox_->leases[0].payload, "sealed");
  EXPECT_EQ(inbox_->leases[0].mark.sequence, 2U);
  EXPECT_FALSE(inbox_->leases[0].again);
}

TEST_F(Firing, ALeaseLeavesOnlyOnceItIsStored) {
  auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  Due(100);
  world_.Advance(100);
  world_.store->power_cut_at = world_.store->writes + 1;
  EXPECT_THROW(world_.Run(), WatchedStore::PowerCut);
  EXPECT_TRUE(inbox_->leases.empty());
}

TEST_F(Firing, ATimerSetInThePastFiresNext) {
  auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  Due(-5'000);
  world_.AdvanceAndRun(10, 1);
  EXPECT_EQ(inbox_->leases.size(), 1U);
}

TEST_F(Firing, ThousandsAtOneInstantAllFireOnceAcrossARestart) {
  auto session = world_.Attach("g", "s1", {"t"}, 700, inbox_);
  for (int i = 0; i < 1500; ++i) Due(1'000, "t", "target " + std::to_string(i));
  world_.AdvanceAndRun(1'000, 1'000);
  EXPECT_EQ(inbox_->leases.size(), 700U);  // the window
  session.reset();
  world_.Crash();
  world_.Open();
  std::shared_ptr<Inbox> second;
  session = world_.Attach("g", "s1", {"t"}, 1'500, second);
  world_.AdvanceAndRun(10'000, 100);
  std::set<AttemptId> seen;
  int fresh = 0;
  for (const Lease& lease : second->leases) {
    EXPECT_TRUE(seen.insert(lease.attempt).second);
    fresh += lease.again ? 0 : 1;
  }
  EXPECT_EQ(second->leases.size(), 1'500U);
  EXPECT_EQ(fresh, 800);
  EXPECT_EQ(world_.Violations(), "");
}

TEST_F(Firing, WithoutCreditItWaitsAndTheOldestGoesFirst) {
  const auto first = Due(100, "t", "a");
  const auto second = Due(200, "t", "b");
  const auto third = Due(300, "t", "c");
  world_.AdvanceAndRun(1'000);
  auto session = world_.Attach("g", "s1", {"t"}, 1, inbox_);
  ASSERT_EQ(inbox_->leases.size(), 1U);
  EXPECT_EQ(inbox_->leases[0].attempt.instance, first.id);
  EXPECT_EQ(world_.Report(*session, inbox_->leases[0].attempt, "done"), ReportOutcome::kApplied);
  ASSERT_EQ(inbox_->leases.size(), 2U);
  EXPECT_EQ(inbox_->leases[1].attempt.instance, second.id);
  session->AddCredit(5);
  world_.Run();
  ASSERT_EQ(inbox_->leases.size(), 3U);
  EXPECT_EQ(inbox_->leases[2].attempt.instance, third.id);
}

// A tenant that never has a gateway, and a pause that never ends, must not fill the disk with those that are over.
TEST_F(Firing, WhatWaitsNoLongerLeavesNoRowThoughNobodyEverServesIt) {
  const auto ready_rows = [&] {
    int count = 0;
    for (auto rows = world_.memory.Scan(storage::Family::kQueues, "r", "s"); rows->Valid(); rows->Next()) ++count;
    return count;
  };
  const auto anna = Due(100, "lonely", "a"), bert = Due(200, "lonely", "b");
  world_.AdvanceAndRun(300);
  EXPECT_EQ(ready_rows(), 2);
  EXPECT_TRUE(world_.Send(bert.id, courier::Simple(courier::kStop), "lonely").status.ok());
  EXPECT_EQ(ready_rows(), 1);
  PauseRequest pause;
  EXPECT_TRUE(world_.Pause(pause));
  const auto carl = Due(100, "lonely", "a");
  world_.AdvanceAndRun(300);
  EXPECT_EQ(ready_rows(), 2);
  for (const auto& id : {carl.id, anna.id})
    EXPECT_TRUE(world_.Send(id, courier::Simple(courier::kStop), "lonely").status.ok());
  EXPECT_EQ(ready_rows(), 0);
  EXPECT_EQ(world_.Violations(), "");
}

// A client that names another key each time must not fill the memory with lanes, nor lose anything by it.
TEST_F(Firing, LanesOfATenantAreBoundedAndAllOfThemLeave) {
  constexpr int kKeys = 600;
  for (int i = 0; i < kKeys; ++i)
    world_.Create("t", "anna", {world_.clock.wall_ms + 10'000 + i % 7, "", std::nullopt, "key" + std::to_string(i)});
  const auto other = world_.Create("u", "anna", {world_.clock.wall_ms + 10'100, "", std::nullopt, "key"}).id;
  world_.AdvanceAndRun(11'000, 100);
  std::set<std::string> lanes;
  int waiting = 0;
  for (auto rows = world_.memory.Scan(storage::Family::kQueues, "r", "s"); rows->Valid(); rows->Next(), ++waiting)
    lanes.emplace(rows->key().substr(0, 11));
  EXPECT_EQ(waiting, kKeys + 1);
  EXPECT_LE(lanes.size(), ReadyQueues::kLanesOfTenantMax + EngineOptions().batch_max + 2);
  EXPECT_LT(lanes.size(), kKeys);
  auto session = world_.Attach("h", "s2", {"u"}, 10, inbox_);
  EXPECT_EQ(world_.StateNumber(other), courier::kOut);
  session.reset();
  world_.Crash();
  world_.Open();
  std::shared_ptr<Inbox> inbox;
  session = world_.Attach("g", "s1", {"t"}, 1'000, inbox);
  world_.AdvanceAndRun(200, 100);
  EXPECT_EQ(inbox->leases.size(), kKeys);
  EXPECT_EQ(world_.Violations(), "");
}

// The tenant without a gateway has more, and older, and keeps nobody waiting; a kill at every write loses nothing.
TEST_F(Firing, ATenantWithoutAGatewayStopsNobodyAlsoWhenKilledAtEveryWrite) {
  for (const bool after_write : {false, true}) {
    for (int cut = 1; cut < 40; ++cut) {
      World world;
      std::vector<InstanceId> served;
      std::vector<InstanceId> stranded;
      for (int i = 0; i < 6; ++i) {
        const Parcel parcel{world.clock.wall_ms + 100 + i, "", std::nullopt, ""};
        stranded.push_back(world.Create("lonely", "x" + std::to_string(i), parcel).id);
        served.push_back(world.Create("t", "y" + std::to_string(i), parcel).id);
      }
      std::shared_ptr<Inbox> inbox;
      auto session = world.Attach("g", "s1", {"t"}, 2, inbox);
      world.store->power_cut_at = world.store->writes + cut;
      world.store->after_write = after_write;
      try {
        world.AdvanceAndRun(200, 10);
        for (std::size_t i = 0; i < inbox->leases.size(); ++i) world.Report(*session, inbox->leases[i].attempt, "done");
      } catch (const WatchedStore::PowerCut&) {
        session.reset();
        world.Crash();
        world.Open();
        session = world.Attach("g", "s1", {"t"}, 2, inbox);
        world.AdvanceAndRun(200, 10);
      }
      world.store->power_cut_at = -1;
      for (std::size_t i = 0; i < inbox->leases.size(); ++i) {
        world.Report(*session, inbox->leases[i].attempt, "done");
        world.AdvanceAndRun(20, 10);
      }
      for (const auto& id : served) EXPECT_EQ(world.StateNumber(id), courier::kDone) << "cut " << cut;
      for (const auto& id : stranded) EXPECT_EQ(world.StateNumber(id), courier::kWaiting) << "cut " << cut;
      EXPECT_EQ(world.Violations(), "") << "cut " << cut << "\n" << world.Journal();
      std::shared_ptr<Inbox> late;
      auto other = world.Attach("h", "s9", {"lonely"}, 10, late);
      EXPECT_EQ(late->leases.size(), 6U) << "cut " << cut;
      EXPECT_TRUE(std::is_sorted(late->leases.begin(), late->leases.end(), [&](const Lease& a, const Lease& b) {
        return std::find(stranded.begin(), stranded.end(), a.attempt.instance) <
               std::find(stranded.begin(), stranded.end(), b.attempt.instance);
      }));
    }
  }
}

TEST_F(Firing, TenantsAreServedInTurn) {
  for (int i = 0; i < 20; ++i) Due(10, "big", "b" + std::to_string(i));
  for (int i = 0; i < 3; ++i) Due(20, "small", "s" + std::to_string(i));
  world_.AdvanceAndRun(100);
  auto session = world_.Attach("g", "s1", {"big", "small"}, 6, inbox_);
  int small = 0;
  for (const Lease& lease : inbox_->leases) small += lease.tenant == "small" ? 1 : 0;
  EXPECT_EQ(inbox_->leases.size(), 6U);
  EXPECT_EQ(small, 3);
}

TEST_F(Firing, WithLittleCreditTenantsAndLanesHaveTheirTurnsToo) {
  const auto due = [&](const std::string& tenant, const std::string& lane, int number) {
    world_.Create(tenant, "x" + std::to_string(number), {world_.clock.wall_ms + 10, "", std::nullopt, lane});
  };
  for (int i = 0; i < 10; ++i) {
    due("big", "a", i);
    due("big", "b", i);
    due("small", "c", i);
  }
  world_.AdvanceAndRun(100);
  auto session = world_.Attach("g", "s1", {"big", "small"}, 0, inbox_);
  std::map<std::string, int> left;
  for (int i = 0; i < 12; ++i) {
    session->AddCredit(1);
    world_.Run();
    ASSERT_EQ(inbox_->leases.size(), static_cast<std::size_t>(i + 1));
    ++left[inbox_->leases.back().lane];
  }
  EXPECT_EQ(left, (std::map<std::string, int>{{"a", 3}, {"b", 3}, {"c", 6}}));
}

// A client may name as many keys as it likes: they cost those who are served nothing.
TEST_F(Firing, LanesThatNobodyServesAreNotLookedAt) {
  const auto due = [&](const std::string& lane, int number) {
    world_.Create("t", "x" + std::to_string(number), {world_.clock.wall_ms + 10, "", std::nullopt, lane});
  };
  for (int i = 0; i < 500; ++i) due("key " + std::to_string(i), i);
  for (int i = 0; i < 5; ++i) due("key 7", i);
  world_.AdvanceAndRun(100);
  world_.Crash();
  world_.Open();
  world_.Run();
  auto session = world_.engine->Attach({{"g", "s1"}, {"t"}, {"key 7"}, {}}, std::make_shared<InboxLink>(inbox_));
  ASSERT_TRUE(session.ok());
  world_.Run();
  const int before = world_.store->scans;
  (*session)->AddCredit(3);
  world_.Run();
  EXPECT_EQ(inbox_->leases.size(), 3U);
  EXPECT_LT(world_.store->scans - before, 50);
  (*session)->AddCredit(10);
  world_.Run();
  EXPECT_EQ(inbox_->leases.size(), 6U);
}

TEST_F(Firing, AMemberOfTheSetDoesNotLeaveAndItsCreditGoesToAnother) {
  auto session = world_.Attach("g", "s1", {"t"}, 1, inbox_);
  const auto banned = Due(100, "t", "anna");
  const auto other = Due(200, "t", "bert");
  ASSERT_TRUE(world_.Send(banned.id, courier::Simple(courier::kJoin)).status.ok());
  world_.AdvanceAndRun(300);
  ASSERT_EQ(inbox_->leases.size(), 1U);
  EXPECT_EQ(inbox_->leases[0].attempt.instance, other.id);
  EXPECT_EQ(world_.StateNumber(banned.id), courier::kStopped);
}

// Whether its target is barred is a row to look at, and not the history of whoever went there before.
TEST(FiringAt, ATargetReadsOneRowHoweverMuchWentThereBefore) {
  World world;
  const auto create = [&](const std::string& target, std::int64_t in_ms) {
    return world.Create("t", target, {world.clock.wall_ms + in_ms, "", std::nullopt, ""}).id;
  };
  for (int i = 0; i < 50; ++i)  // somebody is barred in every shard
    ASSERT_TRUE(world.Send(create("bert " + std::to_string(i), 60'000), courier::Simple(courier::kJoin)).status.ok());
  // Rows that were read for one that leaves, in a process that remembers nothing.
  const auto rows_for_one = [&] {
    world.Crash();
    world.Open();
    std::shared_ptr<Inbox> inbox;
    auto session = world.Attach("g", "s1", {"t"}, 10, inbox);
    int rows = 0;
    world.store->on_read = [&](storage::Family family) { rows += family == storage::Family::kIndexes; };
    world.store->on_scan = [](storage::Family family, std::string_view) {
      EXPECT_TRUE(family == storage::Family::kQueues) << "a list was read";
    };
    const InstanceId id = create("anna", 100);
    world.AdvanceAndRun(200);
    EXPECT_EQ(inbox->leases.size(), 1U);
    EXPECT_EQ(world.Report(*session, {id, 1}, "done"), ReportOutcome::kApplied);
    world.store->on_read = nullptr;
    world.store->on_scan = nullptr;
    return rows;
  };
  EXPECT_EQ(rows_for_one(), 1);
  for (int i = 0; i < 500; ++i)
    ASSERT_TRUE(world.Send(create("anna", 60'000), courier::Simple(courier::kStop)).status.ok());
  EXPECT_EQ(rows_for_one(), 1);
}

TEST_F(Firing, OverdueAfterDowntimeIsSpreadByTheBudgetAndOnTimeIsNot) {
  EngineOptions options;
  options.fire_budget_per_s = 100;
  World world(options);
  for (int i = 0; i < 500; ++i)
    world.Create("t", "late" + std::to_string(i), {world.clock.wall_ms + 1'000, "", std::nullopt, ""});
  for (int i = 0; i < 10; ++i)
    world.Create("t", "new" + std::to_string(i), {world.clock.wall_ms + 600'500, "", std::nullopt, ""});
  world.Crash();
  world.Advance(600'000);
  world.Open();
  std::shared_ptr<Inbox> inbox;
  auto session = world.Attach("g", "s1", {"t"}, 10'000, inbox);
  std::size_t before = inbox->leases.size();
  for (int second = 0; second < 3; ++second) {
    world.AdvanceAndRun(1'000, 10);
    EXPECT_LE(inbox->leases.size() - before, 110U + (second == 0 ? 10U : 0U)) << "second " << second;
    EXPECT_GE(inbox->leases.size() - before, 90U) << "second " << second;
    before = inbox->leases.size();
  }
  world.AdvanceAndRun(4'000, 10);
  EXPECT_EQ(inbox->leases.size(), 510U);
}

TEST_F(Firing, AWallClockThatJumpsFiresNothingUntilItIsTrusted) {
  auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  Due(3'600'000);
  world_.AdvanceAndRun(1'000);
  world_.clock.wall_ms += 7'200'000;
  world_.Run();
  EXPECT_TRUE(inbox_->leases.empty());
  EXPECT_TRUE(world_.engine->TakeFigures().clock_guard);
  world_.clock.wall_ms -= 7'200'000;
  world_.Run();
  EXPECT_FALSE(world_.engine->TakeFigures().clock_guard);
  world_.clock.wall_ms += 7'200'000;
  world_.Run();
  world_.engine->TrustClock();
  world_.AdvanceAndRun(100);
  EXPECT_EQ(inbox_->leases.size(), 1U);
}

// A start with a clock that is behind what is stored: as soon as that is put right, all goes on, and nobody has to say
// so.
TEST_F(Firing, AClockThatWasBehindAtTheStartIsTrustedOnceItIsPutRight) {
  StartADayBehind();
  auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  Due(86'400'000 + 100);
  const std::size_t before = inbox_->leases.size();
  world_.AdvanceAndRun(1'000);
  EXPECT_TRUE(world_.engine->TakeFigures().clock_guard);
  world_.clock.wall_ms += 40'000'000;  // better, and still wrong
  world_.AdvanceAndRun(1'000);
  EXPECT_TRUE(world_.engine->TakeFigures().clock_guard);
  EXPECT_EQ(inbox_->leases.size(), before);
  world_.clock.wall_ms += 46'400'000;
  world_.AdvanceAndRun(2'000);
  EXPECT_FALSE(world_.engine->TakeFigures().clock_guard);
  EXPECT_EQ(inbox_->leases.size(), before + 1);
  world_.clock.wall_ms += 7'200'000;  // from now on it is compared
  world_.Run();
  EXPECT_TRUE(world_.engine->TakeFigures().clock_guard);
}

// A start with a clock that is a year ahead, put right by a person: nobody waits for that year.
TEST_F(Firing, AClockThatWasFarAheadAtTheStartHoldsNothingOnceItIsTrusted) {
  constexpr std::int64_t kYearMs = 365LL * 86'400'000;
  world_.Crash();
  world_.clock.wall_ms += kYearMs;
  world_.Open();
  world_.AdvanceAndRun(2'000);
  world_.clock.wall_ms -= kYearMs;
  world_.Run();
  EXPECT_TRUE(world_.engine->TakeFigures().clock_guard);
  world_.engine->TrustClock();
  auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  Due(100);
  world_.AdvanceAndRun(200);
  EXPECT_EQ(inbox_->leases.size(), 1U);
}

// Also those that were taken before that word, while the wrong mark held: a slot of today and one of tomorrow. Whenever
// the process is killed.
TEST(FiringTrusted, WhatWasSetBeforeTheClockWasTrustedLeavesInItsTime) {
  constexpr std::int64_t kYearMs = 365LL * 86'400'000;
  for (const bool crash_before : {false, true}) {
    SCOPED_TRACE(crash_before);
    World world;
    std::shared_ptr<Inbox> inbox;
    const auto due = [&](std::int64_t in_ms) {
      return world.Create("t", "anna", {world.clock.wall_ms + in_ms, "", std::nullopt, ""}).id;
    };
    world.Crash();
    world.clock.wall_ms += kYearMs;
    world.Open();
    world.AdvanceAndRun(2'900);
    world.clock.wall_ms -= kYearMs;
    world.Run();
    const auto today = due(100), tomorrow = due(86'400'000);
    if (crash_before) {
      world.Crash();
      world.Open();
    }
    world.engine->TrustClock();
    world.Run();
    world.Crash();
    world.Open();
    auto session = world.Attach("g", "s1", {"t"}, 10, inbox);
    world.AdvanceAndRun(2'000);
    EXPECT_EQ(world.StateNumber(today), courier::kOut);
    EXPECT_EQ(world.StateNumber(tomorrow), courier::kWaiting);
    ASSERT_EQ(inbox->leases.size(), 1U);
    world.Report(*session, inbox->leases[0].attempt, "done");
    world.AdvanceAndRun(86'400'000, 600'000);
    EXPECT_EQ(world.StateNumber(tomorrow), courier::kOut);
    EXPECT_FALSE(world.StateOf(today).has_value());
    EXPECT_EQ(world.Violations(), "");
  }
}

// … nor when the process dies between the clock's being put right and that word.
TEST_F(Firing, WhatWasSetWhileTheMarkLayAheadLeavesInItsTimeAlsoWhenKilledBeforeThatWord) {
  constexpr std::int64_t kHoursMs = 2 * 3'600'000;
  world_.Crash();
  world_.clock.wall_ms += kHoursMs;
  world_.Open();
  world_.AdvanceAndRun(2'500);
  world_.clock.wall_ms -= kHoursMs;
  world_.Run();
  const auto parcel = Due(60'000);
  world_.Crash();
  world_.Open();
  auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  world_.engine->TrustClock();
  world_.AdvanceAndRun(59'000, 1'000);
  EXPECT_EQ(world_.StateNumber(parcel.id), courier::kWaiting);
  world_.AdvanceAndRun(1'000);
  EXPECT_EQ(world_.StateNumber(parcel.id), courier::kOut);
}

// A clock that was ahead and took some for overdue, of which only a few could leave: the others leave when they are
// due.
TEST_F(Firing, NothingLeavesEarlyBecauseAClockThatWasAheadHadTakenItForOverdue) {
  constexpr std::int64_t kHoursMs = 2 * 3'600'000;
  for (const bool has_gateway : {true, false}) {
    EngineOptions options;
    options.fire_budget_per_s = 10;
    World world(options);
    std::shared_ptr<Inbox> inbox;
    const std::int64_t due_ms = world.clock.wall_ms + kHoursMs - (has_gateway ? 600'000 : 10'000);
    for (int i = 0; i < 40; ++i) world.Create("t", "x" + std::to_string(i), {due_ms, "", std::nullopt, ""});
    world.Crash();
    world.clock.wall_ms += kHoursMs;
    world.Open();
    auto session = world.Attach("g", "s1", {has_gateway ? "t" : "other"}, 100, inbox);
    world.AdvanceAndRun(1'500);
    const std::size_t gone = inbox->leases.size();
    EXPECT_LT(gone, 40U);
    session.reset();
    world.Crash();
    world.clock.wall_ms -= kHoursMs;
    world.Open();
    session = world.Attach("g", "s1", {"t"}, 100, inbox);
    world.engine->TrustClock();
    const auto fresh = [&] {
      return std::count_if(inbox->leases.begin(), inbox->leases.end(), [](const Lease& lease) { return !lease.again; });
    };
    world.AdvanceAndRun(20'000, 500);
    EXPECT_EQ(fresh(), static_cast<std::ptrdiff_t>(gone)) << has_gateway;
    world.AdvanceAndRun(due_ms - world.clock.wall_ms + 1, 100'000);
    EXPECT_EQ(fresh(), 40) << has_gateway;
    EXPECT_EQ(world.Violations(), "");
  }
}

// A start with a clock that is behind what is stored; the marks follow it, and a second start knows all the same.
TEST_F(Firing, AClockThatIsBehindAtTheStartIsNotTrustedAtTheNextOneEither) {
  StartADayBehind();
  world_.AdvanceAndRun(1'000);
  EXPECT_TRUE(world_.engine->TakeFigures().clock_guard);
  world_.Crash();
  world_.Open();
  world_.AdvanceAndRun(1'000);
  EXPECT_TRUE(world_.engine->TakeFigures().clock_guard);
}

// … nor loses it: what is set after that word stands below the marks of before, and the process dies at once.
TEST_F(Firing, AMarkThatWasFarAheadTakesNoTimerWithItInACrash) {
  constexpr std::int64_t kHoursMs = 2 * 3'600'000;
  for (const bool backlog : {false, true}) {
    Due(100);
    if (backlog) world_.Crash();
    world_.clock.wall_ms += kHoursMs;
    if (backlog) world_.Open();
    world_.engine->TrustClock();
    world_.AdvanceAndRun(3'000);  // and its marks are stored
    world_.clock.wall_ms -= kHoursMs;
    world_.engine->TrustClock();
    world_.Run();
    const auto parcel = Due(5'000);
    world_.Crash();
    world_.Open();
    auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
    world_.engine->TrustClock();
    world_.AdvanceAndRun(10'000);
    EXPECT_EQ(world_.StateNumber(parcel.id), courier::kOut) << backlog;
  }
}

// Those that waited for their share of the budget when the clock jumped go on when it is right again.
TEST_F(Firing, AJumpOfTheClockLeavesNobodyWaitingForTheBudget) {
  EngineOptions options;
  options.fire_budget_per_s = 10;
  World world(options);
  for (int i = 0; i < 5; ++i)
    world.Create("t", "late" + std::to_string(i), {world.clock.wall_ms + 10, "", std::nullopt, ""});
  world.AdvanceAndRun(120'000, 60'000);
  auto session = world.Attach("g", "s1", {"t"}, 10, inbox_);
  world.AdvanceAndRun(100, 100);
  EXPECT_EQ(inbox_->leases.size(), 1U);
  world.clock.wall_ms += 7'200'000;
  world.Run();
  world.clock.wall_ms -= 7'200'000;
  world.AdvanceAndRun(2'000, 10);
  EXPECT_EQ(inbox_->leases.size(), 5U);
}

TEST_F(Firing, AClockThatGoesBackFiresNothingTwice) {
  auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  Due(100);
  world_.AdvanceAndRun(2'000);
  ASSERT_EQ(inbox_->leases.size(), 1U);
  world_.clock.wall_ms -= 60'000;
  const auto parcel = Due(10);
  world_.AdvanceAndRun(1'000);
  EXPECT_EQ(inbox_->leases.size(), 2U);  // the mark goes back with the clock
  session.reset();
  world_.Crash();
  world_.Open();
  session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  world_.AdvanceAndRun(70'000, 1'000);
  int fresh = 0;
  for (const Lease& lease : inbox_->leases) fresh += lease.again ? 0 : 1;
  EXPECT_EQ(fresh, 2);
  EXPECT_EQ(world_.StateNumber(parcel.id), courier::kOut);
}

TEST_F(Firing, AStartWithAClockFarBehindWhatIsStoredFiresNothing) {
  StartADayBehind();
  const auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  world_.AdvanceAndRun(1'000);
  EXPECT_TRUE(world_.engine->TakeFigures().clock_guard);
  world_.engine->TrustClock();
  world_.AdvanceAndRun(1'000);
  EXPECT_FALSE(world_.engine->TakeFigures().clock_guard);
}

// Two are due and there is no credit; it comes after the first was told to wait and before its row can be found.
TEST_F(Firing, CreditThatComesWhileARowIsWrittenIsNotMissed) {
  Due(10, "lonely", "z");
  world_.AdvanceAndRun(20);
  Due(100, "t", "a");
  Due(200, "t", "a");
  world_.Crash();
  world_.Open();
  auto session = world_.Attach("g", "s1", {"t"}, 0, inbox_);
  world_.Advance(200);
  int reads = 0;
  world_.store->on_read = [&](storage::Family family) {
    if (family == storage::Family::kInstances && ++reads == 3) session->AddCredit(2);
  };
  world_.Run();
  EXPECT_EQ(inbox_->leases.size(), 2U);
}

// What alerts look at: without a gateway, under a pause, with the guard on, and after a start.
TEST_F(Firing, FiguresTellHowLongTheOldestHasWaited) {
  const auto overdue_ms = [&] { return world_.engine->TakeFigures().oldest_overdue_ms; };
  const auto ready = Due(1'000, "t", "a");
  Due(600'000, "t", "b");
  EXPECT_EQ(overdue_ms(), 0);
  world_.AdvanceAndRun(121'000, 1'000);
  Due(0, "t", "c");
  EXPECT_EQ(overdue_ms(), 120'000);
  world_.Crash();
  world_.Open();
  Due(0, "t", "d");
  EXPECT_EQ(overdue_ms(), 120'000);
  EXPECT_TRUE(world_.Pause({}));
  EXPECT_EQ(overdue_ms(), 120'000);
  EXPECT_TRUE(world_.Send(ready.id, courier::Simple(courier::kStop)).status.ok());
  EXPECT_EQ(overdue_ms(), 0);
}

// Not of the first by its id: one that was asked for long ago may have left a moment ago.
TEST_F(Firing, FiguresTellTheAgeOfTheOldestAttemptInFlight) {
  auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  Due(5'000, "t", "a");
  Due(1'000, "t", "a");
  world_.AdvanceAndRun(6'000, 1'000);
  ASSERT_EQ(inbox_->leases.size(), 2U);
  Due(0, "t", "a");
  EXPECT_EQ(world_.engine->TakeFigures().oldest_open_lease_ms, 5'000);
}

TEST_F(Firing, WhileDrainingNothingLeavesAndReportsAreTaken) {
  auto session = world_.Attach("g", "s1", {"t"}, 10, inbox_);
  Due(10, "t", "a");
  world_.AdvanceAndRun(20, 10);
  ASSERT_EQ(inbox_->leases.size(), 1U);
  Due(10, "t", "b");
  world_.engine->Drain(true);
  world_.AdvanceAndRun(1'000);
  EXPECT_EQ(inbox_->leases.size(), 1U);
  EXPECT_EQ(world_.Report(*session, inbox_->leases[0].attempt, "done"), ReportOutcome::kApplied);
  world_.engine->Drain(false);
  world_.AdvanceAndRun(20, 10);
  EXPECT_EQ(inbox_->leases.size(), 2U);
}

}  // namespace
}  // namespace smsflow::engine
