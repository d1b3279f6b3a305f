// Leases, probes, words and restarts through the whole core, over a store that can lose what was not synced.
#include "gateway/core.h"

#include <gtest/gtest.h>

#include <set>

#include "storage/memory_store.h"
#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

class CoreTest : public testing::Test {
 protected:
  CoreTest() { Start(); }

  // A kill -9 and a new process: what was not synced is gone, and so is all that only memory knew.
  void Restart() {
    core_.reset();
    store_.reset();
    rows_.Crash();
    Start();
  }
  void Start() {
    agreed_ =
        std::make_unique<AgreedClock>(clock_, [this](LogLevel, std::string_view line) { notices_.emplace_back(line); });
    auto store = Store::Open(rows_, "g1", agreed_->WallMs());
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = std::move(*store);
    link_.reports.clear();
    carrier_.submitted.clear();
    core_ = std::make_unique<Core>(
        CoreOptions{.gateway = "g1", .tenants = {"clinic"}, .key_ids = [] { return std::vector<std::string>{"kid"}; }},
        *store_, link_, carrier_, *agreed_, [](const absl::Status& status) { ADD_FAILURE() << status; }, &room_);
  }
  void Lease(const AttemptId& attempt, std::int64_t deadline_ms = kNow + kHour) {
    core_->OnLeases({LeaseOf(attempt, deadline_ms)});
  }
  void Word(const AttemptId& attempt, Reported result) {
    core_->OnOutcomes({{attempt, result, About::kNotSaid, "", clock_.now_ms}});
  }
  std::string Said() {
    core_->RunOnce();
    return Told(link_.Take());
  }

  storage::MemoryStore rows_;
  FakeClock clock_;
  FakeLink link_;
  FakeCarrier carrier_;
  FakeRoom room_;
  std::vector<std::string> notices_;
  std::unique_ptr<AgreedClock> agreed_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Core> core_;
};

TEST_F(CoreTest, ALeaseIsDurableBeforeItIsSubmitted) {
  Lease(Attempt(1));
  EXPECT_EQ(Said(), "ACCEPTED");
  ASSERT_EQ(carrier_.submitted.size(), 1u);
  EXPECT_EQ(carrier_.submitted[0].attempt, Attempt(1));
  EXPECT_EQ(rows_.unsynced(), 0u);
  Word(Attempt(1), Reported::kSent);
  Word(Attempt(1), Reported::kDelivered);
  EXPECT_EQ(Said(), "SENT, DELIVERED");
  EXPECT_EQ(rows_.unsynced(), 0u);
}

TEST_F(CoreTest, ManyLeasesShareOneSync) {
  for (std::uint64_t n = 1; n <= 50; ++n) Lease(Attempt(n));
  core_->RunOnce();
  EXPECT_EQ(carrier_.submitted.size(), 50u);
  EXPECT_EQ(core_->figures().leases, 50u);
  EXPECT_EQ(core_->figures().submitted, 50u);
}

TEST_F(CoreTest, ADuplicateLeaseIsNeverSubmittedTwice) {
  Lease(Attempt(1));
  Lease(Attempt(1));  // in the same round: it waits already
  EXPECT_EQ(Said(), "ACCEPTED");
  Lease(Attempt(1));
  EXPECT_EQ(Said(), "ACCEPTED");
  Word(Attempt(1), Reported::kSent);
  EXPECT_EQ(Said(), "SENT");
  Lease(Attempt(1));
  EXPECT_EQ(Said(), "SENT");
  EXPECT_EQ(carrier_.submitted.size(), 1u);
  EXPECT_EQ(core_->figures().repeated_leases, 2u);
}

TEST_F(CoreTest, AnOldEnginesNameIsKeptWhereverItsSmsWaits) {
  const OldName name{"clinic", "p1"};
  carrier_.places = 0;
  core_->OnLeases({{LeaseOf(Attempt(1)), name}, {LeaseOf(Attempt(2), kNow), {"clinic", "p2"}}});
  core_->RunOnce();
  EXPECT_EQ(Told(link_.reports), "EXPIRED expired");
  EXPECT_EQ(link_.Take()[0].old.correl_id, "p2");
  carrier_.places = 1;
  EXPECT_EQ(Said(), "");
  ASSERT_EQ(carrier_.submitted.size(), 1u);
  Word(Attempt(1), Reported::kSent);
  core_->RunOnce();
  ASSERT_EQ(link_.reports.size(), 1u);
  EXPECT_EQ(link_.reports[0].old, name);
  EXPECT_EQ(link_.reports[0].result, Reported::kSent);
}

TEST_F(CoreTest, AnotherAttemptOfTheSameSmsIsItsOwn) {
  Lease(Attempt(1, 1));
  Lease(Attempt(1, 2));
  EXPECT_EQ(Said(), "ACCEPTED, ACCEPTED");
  EXPECT_EQ(carrier_.submitted.size(), 2u);
}

TEST_F(CoreTest, APastDeadlineIsNotSubmitted) {
  Lease(Attempt(1), kNow);
  EXPECT_EQ(Said(), "EXPIRED expired");
  EXPECT_TRUE(carrier_.submitted.empty());
  clock_.now_ms -= kHour;  // a clock that goes back changes nothing of it
  Lease(Attempt(1), kNow);
  EXPECT_EQ(Said(), "EXPIRED expired");
  EXPECT_TRUE(carrier_.submitted.empty());
}

TEST_F(CoreTest, KilledBeforeTheSyncNothingHadLeft) {
  Lease(Attempt(1));
  Restart();  // before the round
  core_->OnAttached();
  EXPECT_EQ(Said(), "");
  Lease(Attempt(1));  // the engine hands it over again
  EXPECT_EQ(Said(), "ACCEPTED");
  EXPECT_EQ(carrier_.submitted.size(), 1u);
}

TEST_F(CoreTest, KilledBetweenIntentAndResultItIsUnknownAndNeverSubmittedAgain) {
  Lease(Attempt(1));
  Said();
  Restart();
  core_->OnAttached();
  EXPECT_EQ(Said(), "UNKNOWN restarted");
  Lease(Attempt(1));
  EXPECT_EQ(Said(), "UNKNOWN restarted");
  core_->OnProbes({{Attempt(1), kNow + kHour}});
  EXPECT_EQ(Said(), "UNKNOWN restarted");
  EXPECT_TRUE(carrier_.submitted.empty());
  Word(Attempt(1), Reported::kDelivered);  // a receipt that comes late still counts
  EXPECT_EQ(Said(), "DELIVERED");
}

TEST_F(CoreTest, KilledBetweenResultAndReportItIsToldAfterwards) {
  Lease(Attempt(1));
  Lease(Attempt(2));
  Said();
  Word(Attempt(1), Reported::kSent);
  Word(Attempt(2), Reported::kSent);
  Said();
  Word(Attempt(1), Reported::kDelivered);
  Said();
  core_->OnAnswers({{Attempt(2), Reported::kSent, true}});
  Said();
  Restart();
  core_->OnAttached();
  EXPECT_EQ(Said(), "DELIVERED, SENT") << "an answer is not synced, so what was answered may be told again";
  core_->OnAnswers({{Attempt(2), Reported::kSent, true}, {Attempt(1), Reported::kDelivered, true}});
  Said();
  core_->OnAttached();
  EXPECT_EQ(Said(), "") << "both are answered";
}

TEST_F(CoreTest, ACutLinkChangesNothingAndUnansweredIsRepeated) {
  Lease(Attempt(1));
  Said();
  core_->OnDetached(absl::UnavailableError("cut"));
  Word(Attempt(1), Reported::kSent);
  Said();  // went nowhere
  core_->OnAttached();
  EXPECT_EQ(Said(), "SENT");
  EXPECT_EQ(carrier_.submitted.size(), 1u);
  EXPECT_TRUE(core_->figures().attached);
}

TEST_F(CoreTest, WhatIsNotOursIsNotRepeated) {
  Lease(Attempt(1));
  Said();
  Word(Attempt(1), Reported::kSent);
  Said();
  core_->OnAnswers({{Attempt(1), Reported::kSent, false}});
  Said();
  core_->OnAttached();
  EXPECT_EQ(Said(), "");
  EXPECT_EQ(core_->figures().not_ours, 1u);
}

// It came anew for fewer tenants, with a credential that has no more either; both may be set right.
TEST_F(CoreTest, OfATenantThatIsNotServedNowItIsKept) {
  auto lease = LeaseOf(Attempt(1));
  lease.tenant = "lab";
  core_->OnLeases({lease});
  Said();
  Word(Attempt(1), Reported::kSent);
  Said();
  core_->OnAnswers({{Attempt(1), Reported::kSent, false}});
  Said();
  core_->ReplaceTenants({"clinic", "lab"});
  core_->OnAttached();
  EXPECT_EQ(Said(), "SENT");
  core_->OnAnswers({{Attempt(1), Reported::kSent, false}});
  Said();
  core_->OnAttached();
  EXPECT_EQ(Said(), "") << "the engine knows whose it is";
}

TEST_F(CoreTest, AProbeOfTheUnseenIsRefusedForEver) {
  core_->OnProbes({{Attempt(1), kNow + kHour}});
  EXPECT_EQ(Said(), "NEVER_SEEN never_seen");
  EXPECT_EQ(rows_.unsynced(), 0u);
  Restart();
  Lease(Attempt(1));
  EXPECT_EQ(Said(), "NEVER_SEEN never_seen");
  EXPECT_TRUE(carrier_.submitted.empty());
}

TEST_F(CoreTest, ALeaseAndItsProbeInOneRound) {
  Lease(Attempt(1));
  core_->OnProbes({{Attempt(1), kNow + kHour}, {Attempt(2), kNow + kHour}});
  Lease(Attempt(2));  // leases are looked at first
  EXPECT_EQ(Said(), "ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED");
  EXPECT_EQ(carrier_.submitted.size(), 2u);
}

TEST_F(CoreTest, WhatWasForgottenIsNeitherSubmittedNorDenied) {
  Lease(Attempt(1), kNow + 10);
  Said();
  ASSERT_EQ(*store_->Prune(kNow + 10 + kKeepMs, 100), 1u);
  Lease(Attempt(1), kNow + 10);
  core_->OnProbes({{Attempt(1), kNow + 10}, {Attempt(2), kNow + 9}, {Attempt(3), kNow + 11}});
  EXPECT_EQ(Said(), "UNKNOWN unknown, UNKNOWN unknown, UNKNOWN unknown, NEVER_SEEN never_seen");
  EXPECT_EQ(carrier_.submitted.size(), 1u);
}

TEST_F(CoreTest, HoweverMuchIsUnansweredLittleOfItIsInMemory) {
  constexpr std::size_t kRows = 5'500;
  for (std::uint64_t n = 1; n <= kRows; ++n) Lease(Attempt(n));
  core_->RunOnce();
  Restart();  // each is UNKNOWN now
  core_->OnAttached();
  core_->RunOnce();
  std::set<AttemptId> told;
  std::size_t reports = 0;
  for (int rounds = 0; rounds < 20 && !link_.reports.empty(); ++rounds) {
    const auto page = link_.Take();
    EXPECT_LE(page.size(), Teller::kRepeatAhead);
    EXPECT_FALSE(core_->RunOnce()) << "it waits until they are gone";
    for (const Report& report : page) told.insert(report.attempt);
    reports += page.size();
    core_->OnGone(page.size());
    core_->RunOnce();
  }
  EXPECT_EQ(told.size(), kRows);
  EXPECT_EQ(reports, kRows) << "none twice";
  core_->OnGone(1);
  EXPECT_FALSE(core_->RunOnce()) << "nothing is left to be told, so room is nothing to wake for";
}

TEST_F(CoreTest, WhatTheLinkHasNoRoomForIsToldLater) {
  core_->OnAttached();
  core_->RunOnce();
  std::uint64_t attempts = 0;
  const auto round = [&] {
    std::vector<gateway::Lease> leases;
    for (int i = 0; i < 5'000; ++i) leases.push_back(LeaseOf(Attempt(++attempts), kNow));  // late: each is EXPIRED
    core_->OnLeases(std::move(leases));
    core_->RunOnce();
  };
  for (int i = 0; i < 8; ++i) round();
  const auto first = link_.Take();
  EXPECT_EQ(first.size(), Teller::kUnderWayMax);
  core_->OnGone(first.size());
  std::set<AttemptId> told;
  for (const Report& report : first) told.insert(report.attempt);
  for (int rounds = 0; rounds < 100 && core_->RunOnce(); ++rounds) {
    const auto page = link_.Take();
    for (const Report& report : page) told.insert(report.attempt);
    core_->OnGone(page.size());
  }
  EXPECT_EQ(told.size(), attempts);
}

TEST_F(CoreTest, OnAFullDiskNewAttemptsWaitAndReportsGoOn) {
  Lease(Attempt(1));
  Said();
  room_.low = true;
  Lease(Attempt(2));
  Lease(Attempt(1));
  Word(Attempt(1), Reported::kDelivered);
  EXPECT_EQ(Said(), "ACCEPTED, DELIVERED") << "of what is known";
  Lease(Attempt(2));  // the engine handed it over once more
  EXPECT_EQ(Said(), "");
  EXPECT_EQ(carrier_.submitted.size(), 1u);
  EXPECT_EQ(rows_.rows(storage::Family::kInstances), 1u) << "of what waits nothing is written";
  room_.low = false;
  EXPECT_EQ(Said(), "ACCEPTED");
  EXPECT_EQ(carrier_.submitted.size(), 2u);
}

TEST_F(CoreTest, WhatWaitedForRoomTooLongIsNotSubmitted) {
  room_.low = true;
  Lease(Attempt(1));
  Lease(Attempt(2));
  EXPECT_EQ(Said(), "");
  core_->OnProbes({{Attempt(1), kNow + kHour}});
  EXPECT_EQ(Said(), "NEVER_SEEN never_seen") << "and so it is, from now on";
  clock_.now_ms += kHour;
  EXPECT_EQ(Said(), "");
  room_.low = false;
  EXPECT_EQ(Said(), "") << "the engine asks when it wants to know";
  Lease(Attempt(1));
  Lease(Attempt(2));
  EXPECT_EQ(Said(), "NEVER_SEEN never_seen, EXPIRED expired");
  EXPECT_TRUE(carrier_.submitted.empty());
}

TEST_F(CoreTest, AProbedAttemptThatWaitsIsNeverSubmitted) {
  room_.low = true;
  Lease(Attempt(1));
  Said();
  core_->OnProbes({{Attempt(1), kNow + kHour}});
  Said();
  room_.low = false;
  EXPECT_EQ(Said(), "") << "it was said";
  Lease(Attempt(1));
  EXPECT_EQ(Said(), "NEVER_SEEN never_seen");
  EXPECT_TRUE(carrier_.submitted.empty());
}

TEST_F(CoreTest, WhatTheCarrierHasNoPlaceForIsNoIntentYet) {
  carrier_.places = 1;
  for (std::uint64_t n = 1; n <= 3; ++n) Lease(Attempt(n));
  EXPECT_EQ(Said(), "ACCEPTED");
  EXPECT_EQ(rows_.rows(storage::Family::kInstances), 1u);
  EXPECT_EQ(link_.kept.size(), 1u) << "after a crash the others must come again";
  EXPECT_EQ(Said(), "");
  carrier_.places = 1;
  EXPECT_EQ(Said(), "ACCEPTED");
  EXPECT_EQ(carrier_.submitted.size(), 2u);
  Restart();
  core_->OnAttached();
  EXPECT_EQ(Said(), "UNKNOWN restarted, UNKNOWN restarted") << "of the third nothing was ever said";
  carrier_.places = 1;
  for (std::uint64_t n = 1; n <= 3; ++n) Lease(Attempt(n));
  EXPECT_EQ(Said(), "UNKNOWN restarted, UNKNOWN restarted, ACCEPTED");
  EXPECT_EQ(carrier_.submitted.size(), 1u);
}

TEST_F(CoreTest, WhatWaitedForAPlaceTooLongExpires) {
  carrier_.places = 0;
  Lease(Attempt(1));
  EXPECT_EQ(Said(), "");
  clock_.now_ms += kHour;
  EXPECT_EQ(Said(), "EXPIRED expired");
  EXPECT_EQ(link_.kept, std::vector{Attempt(1)});
  carrier_.places = 1;
  EXPECT_EQ(Said(), "");
  EXPECT_TRUE(carrier_.submitted.empty());
}

// Else it would hold its credit until its slot ends, and soon there would be none for anybody.
TEST_F(CoreTest, WhatIsForAnSmscThatIsAwayIsGivenBackAndNeverLeaves) {
  const auto lab = [](std::uint64_t n) {
    auto lease = LeaseOf(Attempt(n));
    lease.tenant = "lab";
    return lease;
  };
  carrier_.away = "lab";
  core_->OnLeases({lab(1), LeaseOf(Attempt(2)), lab(3)});
  EXPECT_EQ(Said(), "ACCEPTED, NEVER_SEEN smsc_unreachable, NEVER_SEEN smsc_unreachable");
  EXPECT_EQ(link_.kept.size(), 3u);
  Restart();
  core_->OnAttached();
  EXPECT_EQ(Said(), "NEVER_SEEN smsc_unreachable, UNKNOWN restarted, NEVER_SEEN smsc_unreachable")
      << "the engine waits for it";
  core_->OnAnswers({{Attempt(1), Reported::kNeverSeen}, {Attempt(3), Reported::kNeverSeen}});
  core_->OnAttached();
  EXPECT_EQ(Said(), "UNKNOWN restarted");
  carrier_.away.clear();
  core_->OnLeases({lab(1), lab(4)});
  EXPECT_EQ(Said(), "NEVER_SEEN smsc_unreachable, ACCEPTED");
  ASSERT_EQ(carrier_.submitted.size(), 1u);
  EXPECT_EQ(carrier_.submitted[0].attempt, Attempt(4));
}

// It knows no attempts, so it could not hand it over anew.
TEST_F(CoreTest, WhatAnOldEngineWantsWaitsForAnSmscThatIsAway) {
  auto lease = LeaseOf(Attempt(1));
  lease.tenant = "lab";
  carrier_.away = "lab";
  core_->OnLeases({{std::move(lease), {"client", "1"}}});
  EXPECT_EQ(Said(), "");
  carrier_.away.clear();
  Said();
  EXPECT_EQ(carrier_.submitted.size(), 1u);
}

TEST_F(CoreTest, WhoWaitsForAPlaceLeavesInTheOrderInWhichItCame) {
  carrier_.places = 0;
  for (std::uint64_t n = 600; n >= 1; --n) Lease(Attempt(n));
  EXPECT_EQ(Said(), "");
  for (int round = 0; round < 300; ++round) {
    carrier_.places = 2;
    core_->RunOnce();
  }
  ASSERT_EQ(carrier_.submitted.size(), 600u);
  for (std::uint64_t n = 1; n <= 600; ++n) EXPECT_EQ(carrier_.submitted[600 - n].attempt, Attempt(n));
}

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kDay = 24 * kHour;

TEST_F(CoreTest, ForgetsEightDaysAfterTheDeadline) {
  Lease(Attempt(1), kNow + 10);
  Said();
  clock_.now_ms += kKeepMs;
  core_->RunOnce();
  EXPECT_EQ(store_->pruned_ms(), 0);
  clock_.now_ms += 11 * kMinute;
  core_->RunOnce();
  EXPECT_EQ(store_->pruned_ms(), kNow + 10);
}

TEST_F(CoreTest, AClockThatJumpsForgetsNothingAndLetsNothingExpire) {
  Lease(Attempt(1));
  Said();
  clock_.now_ms += 11 * kMinute;
  clock_.jump_ms = 10 * kDay;
  Word(Attempt(1), Reported::kSent);
  EXPECT_EQ(Said(), "SENT") << "the attempt is in flight";
  EXPECT_EQ(store_->pruned_ms(), 0);
  Lease(Attempt(2));
  EXPECT_EQ(Said(), "ACCEPTED");
  clock_.now_ms += kHour;
  Lease(Attempt(3));
  EXPECT_EQ(Said(), "EXPIRED expired") << "the time of before goes on";
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_NE(notices_[0].find("jumped by 864000 s"), std::string::npos) << notices_[0];

  clock_.jump_ms = 0;
  Lease(Attempt(4), kNow + 2 * kHour);
  EXPECT_EQ(Said(), "ACCEPTED");
  EXPECT_EQ(store_->pruned_ms(), 0);
  EXPECT_EQ(carrier_.submitted.size(), 3u);
  EXPECT_EQ(notices_.size(), 2u);
}

TEST_F(CoreTest, AClockThatJumpsBackLetsNothingLateLeave) {
  clock_.now_ms += 2 * kHour;
  clock_.jump_ms = -2 * kHour;
  Lease(Attempt(1));
  EXPECT_EQ(Said(), "EXPIRED expired");
  EXPECT_TRUE(carrier_.submitted.empty());
}

TEST_F(CoreTest, AClockThatIsSetRightSoonAfterTheStartHasForgottenNothing) {
  Lease(Attempt(1));
  Said();
  clock_.jump_ms = 10 * kDay;
  Restart();
  clock_.now_ms += 9 * kMinute;
  core_->RunOnce();
  clock_.jump_ms = 0;
  core_->RunOnce();
  clock_.now_ms += kHour;
  core_->RunOnce();
  EXPECT_EQ(store_->pruned_ms(), 0);
}

TEST_F(CoreTest, AClockThatDriftsIsFollowed) {
  for (int i = 0; i < 100; ++i) {
    clock_.now_ms += 10'000;
    clock_.jump_ms += kMinute;
    core_->RunOnce();
  }
  Lease(Attempt(1));
  EXPECT_EQ(Said(), "EXPIRED expired") << "it is an hour and more later";
  EXPECT_TRUE(notices_.empty());
}

TEST_F(CoreTest, HelloTellsStoreAndMarks) {
  Lease(Attempt(1));
  Said();
  const auto hello = core_->Hello();
  EXPECT_EQ(hello.peer.gateway, "g1");
  EXPECT_EQ(hello.peer.store_uuid, store_->uuid());
  EXPECT_EQ(hello.tenants, std::vector<std::string>{"clinic"});
  EXPECT_EQ(hello.lanes, std::vector<std::string>{"kid"});
  ASSERT_EQ(hello.marks.size(), 1u);
  EXPECT_EQ(hello.marks[0].shard, Attempt(1).instance.shard());
  const std::string uuid = store_->uuid();
  Restart();
  EXPECT_EQ(core_->Hello().peer.store_uuid, uuid);
  EXPECT_EQ(core_->Hello().marks.size(), 1u);
}

TEST_F(CoreTest, TheLinkHearsWhatNeedNotComeAgainOnceItIsDurableAndBeforeItIsTold) {
  Lease(Attempt(1));
  core_->OnProbes({{Attempt(2), kNow + kHour}});
  Lease(Attempt(1));
  EXPECT_TRUE(link_.kept.empty());
  core_->RunOnce();
  link_.Take();
  Lease(Attempt(1));
  core_->RunOnce();
  EXPECT_EQ(link_.kept, (std::vector{Attempt(1), Attempt(2), Attempt(1)}));
  EXPECT_FALSE(link_.told_before_kept);
  EXPECT_EQ(rows_.unsynced(), 0u);
}

TEST_F(CoreTest, WhatWaitsForRoomIsKeptOnceItIsDecidedOrOver) {
  room_.low = true;
  Lease(Attempt(1), kNow + 1000);
  Lease(Attempt(2));
  core_->RunOnce();
  EXPECT_TRUE(link_.kept.empty()) << "after a crash they must come again";
  clock_.now_ms += 1000;
  core_->RunOnce();
  EXPECT_EQ(link_.kept, std::vector{Attempt(1)});
  room_.low = false;
  core_->RunOnce();
  EXPECT_EQ(link_.kept, (std::vector{Attempt(1), Attempt(2)}));
}

}  // namespace
}  // namespace smsflow::gateway
