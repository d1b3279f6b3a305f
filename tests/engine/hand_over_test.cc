#include <gtest/gtest.h>

#include "tests/engine/world.h"

namespace smsflow::engine {
namespace {

class HandOver : public ::testing::Test {
 protected:
  void SetUp() override {
    session_ = world_.Attach("g", "s1", {"t"}, 10, inbox_);
    parcel_ = world_.Create("t", "anna", {world_.clock.wall_ms + 100, "", std::nullopt, ""}).id;
    world_.AdvanceAndRun(100);
    ASSERT_EQ(inbox_->leases.size(), 1U);
    attempt_ = inbox_->leases[0].attempt;
  }
  World world_;
  std::shared_ptr<Inbox> inbox_;
  std::unique_ptr<PeerSession> session_;
  InstanceId parcel_;
  AttemptId attempt_;
};

TEST_F(HandOver, TheSameStoreGetsItAgainUntilItHasAccepted) {
  session_.reset();
  std::shared_ptr<Inbox> again;
  session_ = world_.Attach("g", "s1", {"t"}, 10, again);
  ASSERT_EQ(again->leases.size(), 1U);
  EXPECT_TRUE(again->leases[0].again);
  EXPECT_EQ(again->leases[0].attempt, attempt_);
  EXPECT_EQ(world_.Report(*session_, attempt_, "accepted"), ReportOutcome::kApplied);

  session_.reset();
  std::shared_ptr<Inbox> third;
  session_ = world_.Attach("g", "s1", {"t"}, 10, third);
  EXPECT_TRUE(third->leases.empty());
  ASSERT_EQ(third->probes.size(), 1U);
  EXPECT_EQ(third->probes[0].attempt, attempt_);
}

TEST(HandOverAgain, OnlyForTenantsThatAreStillServed) {
  World world;
  std::shared_ptr<Inbox> inbox;
  auto session = world.Attach("g", "s1", {"a", "b"}, 10, inbox);
  for (const std::string tenant : {"a", "b"})
    world.Create(tenant, "x", {world.clock.wall_ms + 10, "", std::nullopt, ""});
  world.AdvanceAndRun(20, 10);
  ASSERT_EQ(inbox->leases.size(), 2U);
  session.reset();
  std::shared_ptr<Inbox> second;
  session = world.Attach("g", "s1", {"a"}, 10, second);
  ASSERT_EQ(second->leases.size(), 1U);
  EXPECT_EQ(second->leases[0].tenant, "a");
}

// Its results must not be lost, as long as its credential is still for them.
TEST(HandOverAgain, ResultsCountOfTenantsThatAreNoLongerServed) {
  World world;
  std::shared_ptr<Inbox> inbox;
  auto session = world.Attach("g", "s1", {"a", "b"}, 10, inbox);
  const auto parcel = world.Create("b", "x", {world.clock.wall_ms + 10, "", std::nullopt, ""}).id;
  world.AdvanceAndRun(20, 10);
  ASSERT_EQ(inbox->leases.size(), 1U);
  const AttemptId attempt = inbox->leases[0].attempt;
  const auto report_as = [&](PeerId peer, std::vector<std::string> tells_of) {
    session.reset();
    PeerHello hello{std::move(peer), {"a"}, {}, {}, std::move(tells_of)};
    session = *world.engine->Attach(std::move(hello), std::make_shared<InboxLink>(std::make_shared<Inbox>()));
    return world.Report(*session, attempt, "done");
  };
  EXPECT_EQ(report_as({"g", "s1"}, {"a"}), ReportOutcome::kNotYours) << "its credential is not for them";
  EXPECT_EQ(report_as({"h", "s1"}, {"a", "b"}), ReportOutcome::kNotYours) << "it was not leased it";
  EXPECT_EQ(report_as({"g", "s2"}, {"a", "b"}), ReportOutcome::kNotYours) << "its store was not";
  EXPECT_EQ(report_as({"g", "s1"}, {"a", "b"}), ReportOutcome::kApplied);
  EXPECT_EQ(world.StateNumber(parcel), courier::kDone);
}

// Between the decision that it leaves and its being durable.
TEST(HandOverAgain, NotToAStoreThatCameAnewForFewerTenants) {
  World world;
  std::shared_ptr<Inbox> before, after;
  auto session = world.Attach("g", "s1", {"a", "b"}, 10, before);
  for (const std::string tenant : {"a", "b"})
    world.Create(tenant, "x", {world.clock.wall_ms + 10, "", std::nullopt, ""});
  world.store->on_write = [&] {
    if (after) return;
    session.reset();
    after = std::make_shared<Inbox>();
    auto fewer = world.engine->Attach({{"g", "s1"}, {"a"}, {}, {}}, std::make_shared<InboxLink>(after));
    ASSERT_TRUE(fewer.ok());
    session = *std::move(fewer);
  };
  world.AdvanceAndRun(20, 20);
  EXPECT_TRUE(before->leases.empty());
  ASSERT_FALSE(after->leases.empty());
  for (const Lease& lease : after->leases) EXPECT_EQ(lease.tenant, "a");
}

// It is asked, without a payload: what it has not begun it refuses, and another attempt may go to whoever has the key.
TEST(HandOverAgain, OnlyForKeysThatAreStillThere) {
  World world;
  const auto attach = [&](std::vector<std::string> lanes, std::shared_ptr<Inbox>& inbox) {
    inbox = std::make_shared<Inbox>();
    auto session = world.engine->Attach({{"g", "s1"}, {"t"}, std::move(lanes), {}}, std::make_shared<InboxLink>(inbox));
    EXPECT_TRUE(session.ok());
    (*session)->AddCredit(10);
    world.Run();
    return *std::move(session);
  };
  std::shared_ptr<Inbox> inbox, second, third;
  auto session = attach({"k1", "k2"}, inbox);
  for (const std::string key : {"k1", "k2"}) world.Create("t", key, {world.clock.wall_ms + 10, "", std::nullopt, key});
  world.AdvanceAndRun(20, 10);
  ASSERT_EQ(inbox->leases.size(), 2U);
  session.reset();
  session = attach({"k2"}, second);
  ASSERT_EQ(second->leases.size(), 1U);
  EXPECT_EQ(second->leases[0].lane, "k2");
  ASSERT_EQ(second->probes.size(), 1U);
  const auto lost =
      std::find_if(inbox->leases.begin(), inbox->leases.end(), [](const Lease& one) { return one.lane == "k1"; });
  ASSERT_NE(lost, inbox->leases.end());
  EXPECT_EQ(second->probes[0].attempt, lost->attempt);
  session.reset();
  session = attach({}, third);
  EXPECT_EQ(third->leases.size(), 2U) << "one without names opens all";
}

// Between the decision that it leaves and its being durable, as above.
TEST(HandOverAgain, NotToAStoreThatCameAnewWithFewerKeys) {
  World world;
  std::shared_ptr<Inbox> before = std::make_shared<Inbox>(), after;
  auto session = *world.engine->Attach({{"g", "s1"}, {"t"}, {"k1", "k2"}, {}}, std::make_shared<InboxLink>(before));
  session->AddCredit(10);
  for (const std::string key : {"k1", "k2"}) world.Create("t", key, {world.clock.wall_ms + 10, "", std::nullopt, key});
  world.store->on_write = [&] {
    if (after) return;
    session.reset();
    after = std::make_shared<Inbox>();
    auto fewer = world.engine->Attach({{"g", "s1"}, {"t"}, {"k2"}, {}}, std::make_shared<InboxLink>(after));
    ASSERT_TRUE(fewer.ok());
    session = *std::move(fewer);
  };
  world.AdvanceAndRun(20, 20);
  EXPECT_TRUE(before->leases.empty());
  ASSERT_FALSE(after->leases.empty());
  for (const Lease& lease : after->leases) EXPECT_EQ(lease.lane, "k2");
}

TEST(HandOverAgain, InPortionsAndAsFastAsTheLinkIsEmptied) {
  World world;
  std::shared_ptr<Inbox> inbox;
  auto session = world.Attach("g", "s1", {"t"}, 1'000, inbox);
  constexpr std::size_t kOpen = 700;
  for (std::size_t i = 0; i < kOpen; ++i) {
    world.Create("t", "x" + std::to_string(i), {world.clock.wall_ms + 10, "", std::nullopt, ""});
  }
  world.AdvanceAndRun(20, 10);
  ASSERT_EQ(inbox->leases.size(), kOpen);
  session.reset();
  auto back = std::make_shared<Inbox>();
  back->full = true;
  session = world.Attach("g", "s1", {"t"}, 1'000, back);
  EXPECT_TRUE(back->leases.empty());
  back->full = false;
  session->AddCredit(0);
  EXPECT_TRUE(world.engine->RunOnce());
  EXPECT_GT(back->leases.size(), 0U);
  EXPECT_LT(back->leases.size(), kOpen);
  world.Run();
  EXPECT_EQ(back->leases.size(), kOpen);
  EXPECT_EQ(world.Violations(), "");
}

TEST_F(HandOver, AFullLinkIsOneWithoutCredit) {
  inbox_->full = true;
  world_.Create("t", "bert", {world_.clock.wall_ms + 10, "", std::nullopt, ""});
  world_.AdvanceAndRun(20, 10);
  EXPECT_EQ(inbox_->leases.size(), 1U);
  inbox_->full = false;
  session_->AddCredit(0);
  world_.Run();
  EXPECT_EQ(inbox_->leases.size(), 2U);
}

TEST_F(HandOver, PastItsDeadlineItIsAskedForAndNotHandedAgain) {
  session_.reset();
  world_.Advance(61'000);
  std::shared_ptr<Inbox> again;
  session_ = world_.Attach("g", "s1", {"t"}, 10, again);
  EXPECT_TRUE(again->leases.empty());
  EXPECT_FALSE(again->probes.empty());
}

TEST_F(HandOver, AlsoAfterTheEngineRestarted) {
  session_.reset();
  world_.Crash();
  world_.Open();
  EXPECT_EQ(world_.engine->TakeFigures().leases, 0U);
  std::shared_ptr<Inbox> again;
  session_ = world_.Attach("g", "s1", {"t"}, 10, again);
  ASSERT_EQ(again->leases.size(), 1U);
  EXPECT_EQ(again->leases[0].attempt, attempt_);
  EXPECT_EQ(world_.Report(*session_, attempt_, "done"), ReportOutcome::kApplied);
  EXPECT_EQ(world_.StateNumber(parcel_), courier::kDone);
}

TEST_F(HandOver, AnotherStoreIsRefusedWhileTheOldOneLivesAndThenTheOldOnesLeasesAreLost) {
  const auto refused = world_.engine->Attach({{"g", "s2"}, {"t"}, {}, {}}, std::make_shared<InboxLink>(inbox_));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  session_.reset();
  std::shared_ptr<Inbox> fresh;
  session_ = world_.Attach("g", "s2", {"t"}, 10, fresh);
  EXPECT_TRUE(fresh->leases.empty());
  EXPECT_TRUE(fresh->probes.empty());
  EXPECT_EQ(world_.StateNumber(parcel_), courier::kLost);
  EXPECT_EQ(world_.Report(*session_, attempt_, "done"), ReportOutcome::kNotYours);
  EXPECT_EQ(world_.Violations(), "");
}

TEST_F(HandOver, ALeaseOfALostStoreIsSettledAlsoWhenTheWorkflowDoesNotCare) {
  world_.policy.bytes = "ignores loss";
  session_.reset();
  std::shared_ptr<Inbox> fresh;
  session_ = world_.Attach("g", "s2", {"t"}, 10, fresh);
  EXPECT_EQ(world_.StateNumber(parcel_), courier::kOut);
  EXPECT_EQ(world_.engine->TakeFigures().open_leases, 0U);
  EXPECT_TRUE(world_.StateOf(parcel_)->leases(0).settled());
  EXPECT_EQ(world_.Violations(), "") << world_.Journal();
}

TEST_F(HandOver, ANewStoreTellsNothingOfTenantsThatItMayNotServe) {
  session_.reset();
  std::shared_ptr<Inbox> stranger;
  auto other = world_.Attach("g", "s2", {"elsewhere"}, 10, stranger);
  EXPECT_EQ(world_.StateNumber(parcel_), courier::kOut);
  other.reset();
  std::shared_ptr<Inbox> again;
  session_ = world_.Attach("g", "s1", {"t"}, 10, again);
  EXPECT_EQ(world_.Report(*session_, attempt_, "done"), ReportOutcome::kApplied);
}

TEST_F(HandOver, TheNewestStreamOfAStoreWins) {
  std::shared_ptr<Inbox> newer;
  auto second = world_.Attach("g", "s1", {"t"}, 10, newer);
  ASSERT_EQ(inbox_->closed.size(), 1U);
  EXPECT_EQ(newer->leases.size(), 1U);
  session_.reset();  // the old session's end takes nothing from the newer one
  const auto parcel = world_.Create("t", "bert", {world_.clock.wall_ms + 10, "", std::nullopt, ""});
  world_.AdvanceAndRun(20, 10);
  ASSERT_EQ(newer->leases.size(), 2U);
  EXPECT_EQ(newer->leases[1].attempt.instance, parcel.id);
}

TEST_F(HandOver, OfAnAttemptTooOldToBeKeptItsHolderStillTells) {
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(world_.Report(*session_, inbox_->leases.back().attempt, "failed"), ReportOutcome::kApplied);
    world_.AdvanceAndRun(200);
  }
  ASSERT_GT(world_.StateOf(parcel_)->leases(0).number(), 2U);
  std::shared_ptr<Inbox> other;
  auto stranger = world_.Attach("h", "s7", {"t"}, 10, other);
  EXPECT_EQ(world_.Report(*stranger, attempt_, "done"), ReportOutcome::kNotYours);
  EXPECT_EQ(world_.Report(*session_, {parcel_, 99}, "done"), ReportOutcome::kNotYours);
  EXPECT_EQ(world_.Report(*session_, attempt_, "done"), ReportOutcome::kApplied);
  EXPECT_EQ(world_.StateNumber(parcel_), courier::kDone);
  EXPECT_EQ(world_.Violations(), "") << world_.Journal();
}

TEST_F(HandOver, ReportsCountOnlyFromTheLessee) {
  std::shared_ptr<Inbox> other;
  auto stranger = world_.Attach("h", "s7", {"t"}, 10, other);
  EXPECT_EQ(world_.Report(*stranger, attempt_, "done"), ReportOutcome::kNotYours);
  EXPECT_EQ(world_.Report(*session_, {attempt_.instance, 2}, "done"), ReportOutcome::kNotYours);
  EXPECT_EQ(world_.Report(*session_, {InstanceId::Make(1, ShardId{1}, 5), 1}, "done"), ReportOutcome::kNotYours);
  EXPECT_EQ(world_.StateNumber(parcel_), courier::kOut);
  EXPECT_EQ(world_.Report(*session_, attempt_, "done"), ReportOutcome::kApplied);
  EXPECT_EQ(world_.Report(*session_, attempt_, "done"), ReportOutcome::kNoted);
}

TEST_F(HandOver, AFailureFreesItsCreditAndTheNextAttemptHasTheNextNumber) {
  EXPECT_EQ(world_.Report(*session_, attempt_, "failed"), ReportOutcome::kApplied);
  EXPECT_EQ(world_.engine->TakeFigures().credit, 10U);
  world_.AdvanceAndRun(200, 10);
  ASSERT_EQ(inbox_->leases.size(), 2U);
  EXPECT_EQ(inbox_->leases[1].attempt, (AttemptId{parcel_, 2}));
}

TEST_F(HandOver, SilenceIsAskedAbout) {
  world_.AdvanceAndRun(courier::kAskAfterMs + 50);
  ASSERT_EQ(inbox_->probes.size(), 1U);
  EXPECT_EQ(inbox_->probes[0].attempt, attempt_);
}

TEST_F(HandOver, CreditOpenBeforeARestartStaysHeld) {
  session_.reset();
  world_.Crash();
  world_.Open();
  std::shared_ptr<Inbox> again;
  session_ = world_.Attach("g", "s1", {"t"}, 1, again);
  world_.Create("t", "bert", {world_.clock.wall_ms + 10, "", std::nullopt, ""});
  world_.AdvanceAndRun(20, 10);
  EXPECT_EQ(again->leases.size(), 1U);  // the open one, again; the window is full
  world_.Report(*session_, attempt_, "done");
  EXPECT_EQ(again->leases.size(), 2U);
}

TEST_F(HandOver, APeerThatHasSeenMoreThanIsStoredStopsTheEngine) {
  PeerHello hello{{"h", "s9"}, {"t"}, {}, {{parcel_.shard(), 1, 1'000}}};
  EXPECT_THROW((void)world_.engine->Attach(hello, std::make_shared<InboxLink>(inbox_)), Fatal);
  EXPECT_NE(world_.fatal.find("acknowledged data is missing"), std::string::npos) << world_.fatal;
}

TEST_F(HandOver, AReportThatAStoppingEngineDidNotTakeIsAnsweredAsFailed) {
  std::vector<ReportOutcome> outcomes;
  const auto note = [&](ReportAnswer answer) { outcomes.push_back(answer.outcome); };
  session_->Report(attempt_, courier::Simple(courier::kReport, "done"), note);
  world_.engine->Stop();
  session_->Report(attempt_, courier::Simple(courier::kReport, "done"), note);
  EXPECT_EQ(outcomes, (std::vector{ReportOutcome::kFailed, ReportOutcome::kFailed}));
}

TEST_F(HandOver, ALongOpenLeaseDoesNotKeepOldOutboxRows) {
  for (int i = 0; i < 6'000; ++i) {
    world_.Create("t", "x" + std::to_string(i % 7), {world_.clock.wall_ms, "", std::nullopt, ""});
    world_.AdvanceAndRun(2, 2);
    if (inbox_->leases.size() > 1) {
      const AttemptId last = inbox_->leases.back().attempt;
      inbox_->leases.pop_back();
      ASSERT_EQ(world_.Report(*session_, last, "done"), ReportOutcome::kApplied);
    }
  }
  world_.AdvanceAndRun(5'000, 100);
  session_.reset();
  world_.Crash();
  world_.Open();
  std::shared_ptr<Inbox> again;
  session_ = world_.Attach("g", "s1", {"t"}, 1, again);
  ASSERT_EQ(again->leases.size(), 1U);
  EXPECT_EQ(again->leases[0].attempt, attempt_);
}

}  // namespace
}  // namespace smsflow::engine
