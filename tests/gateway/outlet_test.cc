#include "gateway/outlet.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace smsflow::gateway {
namespace {

constexpr std::int64_t kLater = 1'000'000'000;

class OutletTest : public testing::Test {
 protected:
  explicit OutletTest(RateLimits limits = {}) : outlet_(std::move(limits)) {}

  void Add(Priority priority, const std::string& tenant, const std::string& sender = "s", std::int64_t segments = 1,
           std::int64_t deadline_ms = kLater) {
    outlet_.Add({++id_, priority, tenant, "r", sender, segments, deadline_ms});
  }
  // The tenants of those that leave now, in order.
  std::string Leaving(std::int64_t now_ms, int most = 1000) {
    std::string all;
    for (int i = 0; i < most; ++i) {
      const auto sms = outlet_.Next(now_ms);
      if (!sms) break;
      all += sms->tenant;
    }
    return all;
  }

  Outlet outlet_;
  std::uint64_t id_ = 0;
};

TEST_F(OutletTest, IsEmptyAtFirst) {
  EXPECT_EQ(outlet_.Next(0), std::nullopt);
  EXPECT_EQ(outlet_.WakeMs(0), std::nullopt);
  EXPECT_TRUE(outlet_.Expire(kLater).empty());
}

TEST_F(OutletTest, CodesLeaveBeforeWhatIsTransactionalAndThatBeforeBulk) {
  Add(Priority::kBulk, "c");
  Add(Priority::kTransactional, "b");
  Add(Priority::kCode, "a");
  EXPECT_EQ(outlet_.size(), 3u);
  EXPECT_EQ(outlet_.size(Priority::kBulk), 1u);
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
  for (const char* sender : {"x", "x", "x", "y", "y"}) Add(Priority::kBulk, "a", sender);
  std::string order;
  while (const auto sms = outlet_.Next(0)) order += std::to_string(sms->id);
  EXPECT_EQ(order, "14253");
}

class SlowSenders : public OutletTest {
 protected:
  SlowSenders() : OutletTest({.sender = 1}) {}
};

TEST_F(SlowSenders, WhoWaitsForItsRateHoldsUpNobodyElse) {
  Add(Priority::kCode, "a", "x", 3);
  Add(Priority::kCode, "a", "x");
  Add(Priority::kCode, "a", "y");
  Add(Priority::kBulk, "b", "z");
  EXPECT_EQ(Leaving(0), "aab");
  EXPECT_EQ(outlet_.size(), 1u);
  EXPECT_EQ(outlet_.WakeMs(0), 3'000);
  EXPECT_EQ(Leaving(2'999), "");
  EXPECT_EQ(Leaving(3'000), "a");
}

TEST_F(SlowSenders, KeepTheirRateAndTheirOrder) {
  for (int i = 0; i < 50; ++i) Add(Priority::kBulk, "a");
  std::uint64_t last = 0;
  int left = 0;
  for (std::int64_t now_ms = 0; now_ms < 20'000; now_ms += 100)
    while (const auto sms = outlet_.Next(now_ms)) {
      EXPECT_GT(sms->id, last);
      last = sms->id;
      ++left;
    }
  EXPECT_EQ(left, 20);
}

TEST_F(SlowSenders, WhatIsPastItsDeadlineIsToldAndDoesNotLeave) {
  Add(Priority::kBulk, "a", "x");
  Add(Priority::kBulk, "a", "x", 1, 500);
  Add(Priority::kBulk, "a", "x");
  Add(Priority::kCode, "b", "x", 1, 400);
  EXPECT_EQ(Leaving(0), "ba");
  EXPECT_EQ(outlet_.WakeMs(0), 500) << "the deadline of one that has to wait longer";
  EXPECT_TRUE(outlet_.Expire(499).empty());
  const auto over = outlet_.Expire(500);
  ASSERT_EQ(over.size(), 1u);
  EXPECT_EQ(over[0].id, 2u);
  EXPECT_EQ(outlet_.size(), 1u);
  EXPECT_EQ(outlet_.WakeMs(500), 1'000);
  EXPECT_EQ(Leaving(1'000), "a");
  EXPECT_EQ(outlet_.WakeMs(1'000), std::nullopt);
}

}  // namespace
}  // namespace smsflow::gateway
