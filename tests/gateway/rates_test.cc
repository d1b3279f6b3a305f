#include "gateway/rates.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/token_bucket.h"

namespace smsflow::gateway {
namespace {

TEST(TokenBucket, LetsASecondsWorthGoAtOnceAndThenItsRate) {
  TokenBucket bucket(10, 5'000);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(bucket.WaitMs(1, 5'000), 0);
    bucket.Take(1, 5'000);
  }
  EXPECT_EQ(bucket.WaitMs(1, 5'000), 100);
  EXPECT_EQ(bucket.WaitMs(3, 5'000), 300);
  EXPECT_EQ(bucket.WaitMs(1, 5'099), 1);
  EXPECT_EQ(bucket.WaitMs(1, 5'100), 0);
  EXPECT_FALSE(bucket.Full(5'999));
  EXPECT_TRUE(bucket.Full(6'000));
}

// Three a second does not divide a second: by rounding one would be lost or won in time.
TEST(TokenBucket, IsExactHoweverLongItRuns) {
  for (const std::int64_t rate : {1, 3, 7, 999, 1001}) {
    TokenBucket bucket(rate, 0);
    std::int64_t now_ms = 0, taken = 0;
    while (now_ms < 100'000) {
      const std::int64_t wait_ms = bucket.WaitMs(1, now_ms);
      now_ms += wait_ms;
      if (now_ms >= 100'000) break;
      bucket.Take(1, now_ms);
      ++taken;
    }
    EXPECT_LE(taken, rate * 101) << rate;
    EXPECT_GE(taken, rate * 101 - 1 - rate / 1000) << rate << ": what the last millisecond brings may be left";
  }
}

TEST(TokenBucket, LetsWhatIsLargerThanItselfGoWhenFullAndPaysItOff) {
  TokenBucket bucket(2, 0);
  EXPECT_EQ(bucket.WaitMs(10, 0), 0);
  bucket.Take(10, 0);
  EXPECT_EQ(bucket.WaitMs(1, 0), 4'500);
  EXPECT_EQ(bucket.WaitMs(10, 0), 5'000);
  EXPECT_EQ(bucket.WaitMs(10, 5'000), 0);
}

TEST(TokenBucket, TakesAClockThatGoesBackAsStandingStill) {
  TokenBucket bucket(1, 10'000);
  bucket.Take(1, 10'000);
  EXPECT_EQ(bucket.WaitMs(1, 9'000), 1'000);
  bucket.Take(1, 9'000);
  EXPECT_EQ(bucket.WaitMs(1, 12'000), 0);
}

TEST(TokenBucket, StandsYearsAndTheHighestRate) {
  TokenBucket bucket(kRateMax, 0);
  bucket.Take(kRateMax * 100, 0);
  EXPECT_GT(bucket.WaitMs(1, 1), 0);
  EXPECT_TRUE(bucket.Full(std::int64_t{1} << 61));
}

TEST(Rates, WithoutLimitsNothingWaits) {
  Rates rates({});
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(rates.WaitMs({"a", "r", "s"}, 5, 0), 0);
    rates.Take({"a", "r", "s"}, 5, 0);
  }
  EXPECT_EQ(rates.buckets(), 0u);
}

TEST(Rates, TheNarrowestOfThreeLimitsCounts) {
  Rates rates({.tenant = 100, .route = 50, .sender = 10});
  const Rates::Who who{"a", "r", "s"};
  rates.Take(who, 10, 0);
  EXPECT_EQ(rates.WaitMs(who, 1, 0), 100) << "its sender";
  EXPECT_EQ(rates.WaitMs({"a", "r", "t"}, 10, 0), 0) << "another sender";
  for (const char* sender : {"t", "u", "v", "w"}) rates.Take({"a", "r", sender}, 10, 0);
  EXPECT_EQ(rates.WaitMs({"a", "r", "x"}, 1, 0), 20) << "the route";
  EXPECT_EQ(rates.WaitMs({"b", "r", "x"}, 1, 0), 20) << "the route of another tenant too";
  EXPECT_EQ(rates.WaitMs({"a", "q", "x"}, 1, 0), 0) << "another route";
}

TEST(Rates, NamedOnesHaveTheirOwnAndZeroIsNone) {
  Rates rates({.tenant = 1, .sender = 1, .tenants = {{"big", 0}, {"small", 2}}, .senders = {{"small/X", 0}}});
  rates.Take({"big", "r", "s"}, 100, 0);
  EXPECT_EQ(rates.WaitMs({"big", "r", "t"}, 1, 0), 0);
  rates.Take({"small", "r", "X"}, 2, 0);
  EXPECT_EQ(rates.WaitMs({"small", "r", "X"}, 1, 0), 500);
  EXPECT_EQ(rates.WaitMs({"other", "r", "X"}, 1, 0), 0) << "another tenant's sender of that name is another";
}

TEST(Rates, RememberOnlyThoseWhoUsedTheirRateJustNow) {
  Rates rates({.sender = 10});
  for (int i = 0; i < 100'000; ++i) rates.Take({"a", "r", std::to_string(i)}, 1, i);
  EXPECT_LT(rates.buckets(), 2'100u);
}

}  // namespace
}  // namespace smsflow::gateway
