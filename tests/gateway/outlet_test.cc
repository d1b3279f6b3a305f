#include "gateway/outlet.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

constexpr std::int64_t kLater = 1'000'000'000;

class OutletTest : public testing::Test {
 protected:
  explicit OutletTest(RateLimits limits = {}, const std::vector<std::string>& routes = {"r", "q"})
      : outlet_(std::move(limits), routes), limits_sender_(limits.sender) {}

  AttemptId Add(Priority priority, const std::string& tenant, std::uint64_t sender = 1, std::int64_t segments = 1,
                std::int64_t deadline_ms = kLater, std::size_t route = 0) {
    Waiting sms;
    sms.route = route;
    sms.priority = priority;
    sms.sender = sender;
    sms.sender_limit = limits_sender_;
    sms.segments = segments;
    sms.lease.attempt = Attempt(++id_);
    sms.lease.tenant = tenant;
    sms.lease.deadline_ms = deadline_ms;
    outlet_.Add(sms);
    return sms.lease.attempt;
  }
  std::optional<Waiting> Next(std::int64_t now_ms) {
    return outlet_.Next(now_ms, [this](const Waiting& sms) { return !full_.contains({sms.route, sms.lease.tenant}); });
  }
  // The tenants of those that leave now, in order.
  std::string Leaving(std::int64_t now_ms, int most = 1000) {
    std::string all;
    outlet_.LookAgain();
    for (int i = 0; i < most; ++i) {
      const auto sms = Next(now_ms);
      if (!sms) break;
      all += sms->lease.tenant;
    }
    return all;
  }

  Outlet outlet_;
  const std::int64_t limits_sender_;
  std::uint64_t id_ = 0;
  std::set<std::pair<std::size_t, std::string>> full_;  // no place for these
};

TEST_F(OutletTest, IsEmptyAtFirst) {
  EXPECT_EQ(Leaving(0), "");
  EXPECT_EQ(outlet_.WakeInMs(0, 0), std::nullopt);
  EXPECT_TRUE(outlet_.Expire(kLater).empty());
}

TEST_F(OutletTest, CodesLeaveBeforeWhatIsTransactionalAndThatBeforeBulk) {
  Add(Priority::kBulk, "c");
  Add(Priority::kTransactional, "b");
  Add(Priority::kCode, "a");
  EXPECT_EQ(outlet_.size(), 3u);
  EXPECT_EQ(outlet_.size(0, Priority::kBulk), 1u);
  EXPECT_EQ(Leaving(0), "abc");
  EXPECT_EQ(outlet_.size(), 0u);
}

TEST_F(OutletTest, NothingStarvesHoweverManyCodesThereAre) {
  for (int i = 0; i < 3200; ++i) {
    Add(Priority::kCode, "a");
    Add(Priority::kTransactional, "b");
    Add(Priority::kBulk, "c");
  }
  std::map<char, int> left;
  for (const char tenant : Leaving(0, 1600)) ++left[tenant];
  EXPECT_NEAR(left['a'], 1200, 2);
  EXPECT_NEAR(left['b'], 300, 1);
  EXPECT_NEAR(left['c'], 100, 1);
}

TEST_F(OutletTest, WhoDidNotWaitIsOwedNothing) {
  for (int i = 0; i < 1000; ++i) Add(Priority::kCode, "a");
  Leaving(0, 500);
  for (int i = 0; i < 10; ++i) Add(Priority::kBulk, "c");
  EXPECT_EQ(Leaving(0, 15).find('c'), std::string::npos);
}

TEST_F(OutletTest, TenantsTakeTurns) {
  for (int i = 0; i < 4; ++i) Add(Priority::kBulk, "a");
  Add(Priority::kBulk, "b");
  Add(Priority::kBulk, "c");
  Add(Priority::kBulk, "b");
  EXPECT_EQ(Leaving(0), "abcabaa");
}

TEST_F(OutletTest, ATenantsSendersTakeTurnsAndEachKeepsItsOrder) {
  std::map<AttemptId, int> number;
  for (const std::uint64_t sender : {1, 1, 1, 2, 2}) {
    const auto attempt = Add(Priority::kBulk, "a", sender);
    number[attempt] = static_cast<int>(id_);
  }
  std::string order;
  while (const auto sms = Next(0)) order += std::to_string(number[sms->lease.attempt]);
  EXPECT_EQ(order, "14253");
}

TEST_F(OutletTest, WhoeverHasNoPlaceHoldsUpNobodyElse) {
  full_ = {{0, "a"}};
  Add(Priority::kCode, "a");
  Add(Priority::kCode, "a", 2);
  Add(Priority::kBulk, "b");
  Add(Priority::kBulk, "a", 1, 1, kLater, 1);
  EXPECT_FALSE(outlet_.WaitsForPlace());
  EXPECT_EQ(Leaving(0), "ba");
  EXPECT_TRUE(outlet_.WaitsForPlace());
  full_.clear();
  EXPECT_FALSE(Next(0).has_value()) << "it is looked at again when it is said so";
  EXPECT_EQ(Leaving(0), "aa");
  EXPECT_FALSE(outlet_.WaitsForPlace());
}

TEST_F(OutletTest, OfThoseWithoutAPlaceIsTakenBackWhoseWayIsAway) {
  const auto of_a = [](const Waiting& sms) { return sms.lease.tenant == "a"; };
  full_ = {{0, "a"}, {0, "b"}};
  Add(Priority::kCode, "a");
  Add(Priority::kCode, "a", 2);
  Add(Priority::kBulk, "a");
  Add(Priority::kBulk, "b");
  EXPECT_TRUE(outlet_.TakeBack(of_a).empty()) << "nobody has looked yet";
  EXPECT_EQ(Leaving(0), "");
  Add(Priority::kBulk, "a", 1, 1, kLater, 1);
  EXPECT_EQ(outlet_.TakeBack(of_a).size(), 3u) << "not of the other route, which has places";
  EXPECT_EQ(outlet_.size(), 2u);
  EXPECT_TRUE(outlet_.TakeBack(of_a).empty());
  full_.clear();
  EXPECT_EQ(Leaving(0), "ba");
}

TEST_F(OutletTest, WhatIsTakenOutIsGone) {
  const auto one = Add(Priority::kBulk, "a"), two = Add(Priority::kBulk, "a"), three = Add(Priority::kBulk, "b");
  EXPECT_TRUE(outlet_.Has(two));
  EXPECT_TRUE(outlet_.Remove(two));
  EXPECT_FALSE(outlet_.Has(two));
  EXPECT_FALSE(outlet_.Remove(two));
  EXPECT_EQ(outlet_.size(), 2u);
  EXPECT_EQ(Leaving(0), "ab");
  EXPECT_FALSE(outlet_.Remove(one));
  EXPECT_FALSE(outlet_.Remove(three));
  EXPECT_EQ(outlet_.WakeInMs(0, 0), std::nullopt);
}

class SlowSenders : public OutletTest {
 protected:
  SlowSenders() : OutletTest({.sender = 1}) {}
};

TEST_F(SlowSenders, WhoWaitsForItsRateHoldsUpNobodyElse) {
  Add(Priority::kCode, "a", 1, 3);
  Add(Priority::kCode, "a", 1);
  Add(Priority::kCode, "a", 2);
  Add(Priority::kBulk, "b", 3);
  EXPECT_EQ(Leaving(0), "aab");
  EXPECT_EQ(outlet_.size(), 1u);
  EXPECT_EQ(outlet_.WakeInMs(0, 0), 3'000);
  EXPECT_EQ(Leaving(2'999), "");
  EXPECT_EQ(Leaving(3'000), "a");
}

TEST_F(SlowSenders, ANewSenderNeedNotWaitForTheOthers) {
  for (int i = 0; i < 2; ++i) Add(Priority::kBulk, "a", 1);
  EXPECT_EQ(Leaving(0), "a");
  Add(Priority::kBulk, "a", 2);
  EXPECT_EQ(Leaving(1), "a");
  EXPECT_EQ(Leaving(999), "");
  EXPECT_EQ(Leaving(1'000), "a");
}

TEST_F(SlowSenders, KeepTheirRateAndTheirOrder) {
  for (int i = 0; i < 50; ++i) Add(Priority::kBulk, "a");
  AttemptId last;
  int left = 0;
  for (std::int64_t now_ms = 0; now_ms < 20'000; now_ms += 100)
    while (const auto sms = Next(now_ms)) ++left;
  EXPECT_EQ(left, 20);
}

TEST_F(SlowSenders, WhatIsPastItsDeadlineIsToldAndDoesNotLeave) {
  Add(Priority::kBulk, "a", 1);
  const auto second = Add(Priority::kBulk, "a", 1, 1, 500);
  Add(Priority::kBulk, "a", 1);
  Add(Priority::kCode, "b", 2, 1, 400);
  EXPECT_EQ(Leaving(0), "ba");
  EXPECT_EQ(outlet_.WakeInMs(0, 0), 500) << "the deadline of one that has to wait longer";
  EXPECT_TRUE(outlet_.Expire(499).empty());
  const auto over = outlet_.Expire(500);
  ASSERT_EQ(over.size(), 1u);
  EXPECT_EQ(over[0].lease.attempt, second);
  EXPECT_EQ(outlet_.size(), 1u);
  EXPECT_EQ(outlet_.WakeInMs(500, 500), 500);
  EXPECT_EQ(Leaving(1'000), "a");
  EXPECT_EQ(outlet_.WakeInMs(1'000, 1'000), std::nullopt);
}

class ThreeLimits : public OutletTest {
 protected:
  ThreeLimits() : OutletTest({.tenant = 20, .sender = 5, .routes = {{"r", 10}}}) {}
  int LeftBy(std::int64_t till_ms) {
    int left = 0;
    for (std::int64_t now_ms = 0; now_ms < till_ms; ++now_ms) left += static_cast<int>(Leaving(now_ms).size());
    return left;
  }
};

TEST_F(ThreeLimits, TheNarrowestCountsForOneSender) {
  for (int i = 0; i < 200; ++i) Add(Priority::kBulk, "a", 1);
  EXPECT_NEAR(LeftBy(10'000), 50, 1);
}
TEST_F(ThreeLimits, ThatOfTheRouteForManySenders) {
  for (int i = 0; i < 500; ++i) Add(Priority::kBulk, i % 2 == 0 ? "a" : "b", i % 7);
  EXPECT_NEAR(LeftBy(10'000), 100, 1);
  EXPECT_LE(*outlet_.Tokens(0, 10'000), 1);
  EXPECT_EQ(outlet_.Tokens(1, 10'000), std::nullopt);
}
TEST_F(ThreeLimits, ThatOfTheTenantOverManyRoutes) {
  for (int i = 0; i < 500; ++i) Add(Priority::kBulk, "a", i % 50, 1, kLater, i % 2);
  EXPECT_NEAR(LeftBy(10'000), 200, 2);
}

// Ten segments beside ones of a single segment, over a limit that both share: each has its turn.
class OneRoute : public OutletTest {
 protected:
  OneRoute() : OutletTest({.route = 10}) {}
};
TEST_F(OneRoute, WhatIsLongDoesNotStarve) {
  for (int i = 0; i < 10; ++i) Add(Priority::kBulk, "a", 1, 10);
  for (int i = 0; i < 100; ++i) Add(Priority::kBulk, "b", 2);
  std::string left;
  for (std::int64_t now_ms = 0; now_ms < 5'000; now_ms += 10) left += Leaving(now_ms);
  EXPECT_GE(std::count(left.begin(), left.end(), 'a'), 4);
}

// A round costs little, however many senders wait for their rates.
TEST_F(SlowSenders, ThousandsOfThemAreLookedAtByTheirTimeAlone) {
  for (std::uint64_t sender = 1; sender <= 20'000; ++sender)
    for (int i = 0; i < 2; ++i) Add(Priority::kBulk, "a", sender);
  std::size_t left = 0;
  for (int look = 0; look < 30'000; ++look) left += Leaving(0, 1).size();
  EXPECT_EQ(left, 20'000u);
}

}  // namespace
}  // namespace smsflow::gateway
