#include "gateway/rates.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/token_bucket.h"

namespace smsflow::gateway {
namespace {

TEST(TokenBucket, LetsATenthOfASecondsWorthGoAtOnceAndThenItsRate) {
  TokenBucket bucket(100, 5'000);
  EXPECT_EQ(bucket.Level(5'000), 10);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(bucket.WaitMs(5'000), 0);
    bucket.Take(1, 5'000);
  }
  EXPECT_EQ(bucket.WaitMs(5'000), 10);
  EXPECT_EQ(bucket.WaitMs(5'009), 1);
  EXPECT_EQ(bucket.WaitMs(5'010), 0);
  EXPECT_FALSE(bucket.Full(5'099));
  EXPECT_TRUE(bucket.Full(5'100));
}

TEST(TokenBucket, HoldsOneSegmentHoweverSlowItIs) {
  TokenBucket bucket(1, 0);
  EXPECT_EQ(bucket.WaitMs(0), 0);
  bucket.Take(1, 0);
  EXPECT_EQ(bucket.WaitMs(0), 1'000);
  EXPECT_EQ(bucket.WaitMs(5'000), 0);
  bucket.Take(1, 5'000);
  EXPECT_EQ(bucket.WaitMs(5'000), 1'000);
}

// Three a second does not divide a second: by rounding one would be lost or won in time.
TEST(TokenBucket, IsExactHoweverLongItRuns) {
  for (const std::int64_t rate : {1, 3, 7, 999, 1001}) {
    TokenBucket bucket(rate, 0);
    std::int64_t now_ms = 0, taken = 0;
    while (now_ms < 100'000) {
      now_ms += bucket.WaitMs(now_ms);
      if (now_ms >= 100'000) break;
      bucket.Take(1, now_ms);
      ++taken;
    }
    const std::int64_t at_once = std::max<std::int64_t>(1, rate / 10);
    EXPECT_LE(taken, rate * 100 + at_once) << rate;
    EXPECT_GE(taken, rate * 100 + at_once - 1 - rate / 1000)
        << rate << ": what the last millisecond brings may be left";
  }
}

TEST(TokenBucket, WhatIsLongLeavesLikeWhatIsShortAndIsPaidOff) {
  TokenBucket bucket(2, 0);
  EXPECT_EQ(bucket.WaitMs(0), 0);
  bucket.Take(10, 0);
  EXPECT_EQ(bucket.Level(0), -9);
  EXPECT_EQ(bucket.WaitMs(0), 5'000);
  EXPECT_EQ(bucket.WaitMs(4'999), 1);
  EXPECT_EQ(bucket.WaitMs(5'000), 0);
}

TEST(TokenBucket, TakesAClockThatGoesBackAsStandingStill) {
  TokenBucket bucket(1, 10'000);
  bucket.Take(1, 10'000);
  EXPECT_EQ(bucket.WaitMs(9'000), 1'000);
  bucket.Take(1, 9'000);
  EXPECT_EQ(bucket.WaitMs(12'000), 0);
}

TEST(TokenBucket, StandsYearsAndTheHighestRate) {
  TokenBucket bucket(kRateMax, 0);
  bucket.Take(kRateMax * 100, 0);
  EXPECT_GT(bucket.WaitMs(1), 0);
  EXPECT_TRUE(bucket.Full(std::int64_t{1} << 61));
}

TEST(RateLimits, NamedOnesHaveTheirOwnAndZeroIsNone) {
  const RateLimits limits{
      .tenant = 1, .route = 5, .sender = 1, .tenants = {{"big", 0}, {"small", 2}}, .senders = {{"small/X", 0}}};
  EXPECT_EQ(limits.OfTenant("big"), 0);
  EXPECT_EQ(limits.OfTenant("small"), 2);
  EXPECT_EQ(limits.OfTenant("other"), 1);
  EXPECT_EQ(limits.OfRoute("any"), 5);
  EXPECT_EQ(limits.OfSender("small/X"), 0);
  EXPECT_EQ(limits.OfSender("other/X"), 1) << "another tenant's sender of that name is another";
}

TEST(Buckets, OfWhoHasNoLimitThereIsNone) {
  Buckets<std::string> buckets;
  for (int i = 0; i < 1000; ++i) buckets.Take("a", 0, 5, 0);
  EXPECT_EQ(buckets.WaitMs("a", 0), 0);
  EXPECT_EQ(buckets.size(), 0u);
  buckets.Take("a", 10, 1, 0);
  EXPECT_EQ(buckets.WaitMs("a", 0), 100);
  EXPECT_EQ(buckets.WaitMs("b", 0), 0);
}

TEST(Buckets, RememberOnlyThoseWhoUsedTheirRateJustNow) {
  Buckets<std::string> buckets;
  for (int i = 0; i < 100'000; ++i) buckets.Take(std::to_string(i), 10, 1, i);
  EXPECT_LT(buckets.size(), 2'100u);
}

}  // namespace
}  // namespace smsflow::gateway
