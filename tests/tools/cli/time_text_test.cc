#include "tools/cli/time_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "tests/tools/cli/person.h"

namespace smsflow::cli {
namespace {

class InBerlin : public testing::Test {
 protected:
  InBerlin() {
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
  }
  ~InBerlin() override {
    unsetenv("TZ");
    tzset();
  }
};

TEST_F(InBerlin, PeopleSeeLocalTimes) {
  EXPECT_EQ(LocalDay(kNowMs), "Sat 21 Nov 2026, CET");
  EXPECT_EQ(LocalClock(kNowMs + 7), "10:00:00.007");
  EXPECT_EQ(LocalTime(kNowMs), "2026-11-21 10:00:00");
  EXPECT_EQ(ShortTime(kNowMs + 60'000, kNowMs), "10:01:00");
  EXPECT_EQ(ShortTime(kNowMs + 14 * 3'600'000, kNowMs), "2026-11-22 00:00");
  EXPECT_EQ(ShortTime(0, kNowMs), "-");
}

TEST_F(InBerlin, MomentsWithoutAnOffsetAreLocal) {
  EXPECT_EQ(*ParseMoment("2026-11-21T10:00", 0), kNowMs);
  EXPECT_EQ(*ParseMoment("2026-11-21 10:00:00", 0), kNowMs);
  EXPECT_EQ(*ParseMoment("2026-11-21", 0), kNowMs - 10 * 3'600'000);
  EXPECT_EQ(*ParseMoment("2026-07-01T12:00", 0), *ParseMoment("2026-07-01T10:00Z", 0));  // summer time
}

TEST_F(InBerlin, PeopleSeeLocalTimesInsideTexts) {
  EXPECT_EQ(Localised("1 slot; due 2026-11-21T09:00:00Z, deadline 2026-11-22T09:00:00Z", kNowMs),
            "1 slot; due 10:00:00, deadline 2026-11-22 10:00");
  EXPECT_EQ(Localised("slots: 1795251600-1795252200;1795255200-1795258800", kNowMs),
            "slots: 10:00:00 to 10:10:00;11:00:00 to 12:00:00");
  for (const char* text :
       {"", "+255123456789-1", "2026-11-21", "11795251600-1795252200", "2026-11-21T09:00:00", "1000-2000"})
    EXPECT_EQ(Localised(text, kNowMs), text);
}

TEST_F(InBerlin, ScriptsSeeUtcTimesInsideTexts) {
  EXPECT_EQ(InUtc("slots: 1795251600-1795252200;1795255200-1795258800"),
            "slots: 2026-11-21T09:00:00Z/2026-11-21T09:10:00Z;2026-11-21T10:00:00Z/2026-11-21T11:00:00Z");
  for (const char* text : {"", "1 slot; due 2026-11-21T09:00:00Z, deadline 2026-11-22T09:00:00Z", "+255123456789-1"})
    EXPECT_EQ(InUtc(text), text);
}

TEST(Moment, IsAgoOrWithAnOffset) {
  EXPECT_EQ(*ParseMoment("2h", kNowMs), kNowMs - 7'200'000);
  EXPECT_EQ(*ParseMoment("2026-11-21T09:00Z", 0), kNowMs);
  EXPECT_EQ(*ParseMoment("2026-11-21T12:30:00+03:30", 0), kNowMs);
  EXPECT_EQ(*ParseMoment("2026-11-21T04:00-05", 0), kNowMs);
  for (const char* text : {"", "x", "2h30", "2026-13-01", "2026-11-21T", "2026-11-21T25:00", "2026-11-21T09:00+3",
                           "-2h", "2026-11-21T09:00 Z", "2026-11-21T09:00[Europe/Berlin]", "99999999999999999999"})
    EXPECT_EQ(ParseMoment(text, 0).status().code(), absl::StatusCode::kInvalidArgument) << text;
}

TEST(UtcTime, IsForScripts) {
  EXPECT_EQ(UtcTime(kNowMs + 7), "2026-11-21T09:00:00.007Z");
  EXPECT_EQ(UtcTime(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(UtcTime(0), "-");
}

TEST(Span, SaysTwoUnitsAtMost) {
  EXPECT_EQ(Span(450), "450 ms");
  EXPECT_EQ(Span(59'999), "59 s");
  EXPECT_EQ(Span(200'000), "3 min 20 s");
  EXPECT_EQ(Span(7'200'000), "2 h");
  EXPECT_EQ(Span(90'000'000), "1 d 1 h");
  EXPECT_EQ(Span(-1'500), "-1 s");
}

TEST(Slots, BeginningWithPlusCountFromNow) {
  EXPECT_EQ(*ExpandSlots("+0", kNowMs + 999), "1795251600-1795252200");
  EXPECT_EQ(*ExpandSlots("+60+30", kNowMs), "1795251660-1795251690");
  EXPECT_EQ(*ExpandSlots("+1m+1h;10-20;+2d", kNowMs), "1795251660-1795255260;10-20;1795424400-1795425000");
  EXPECT_EQ(*ExpandSlots("2026-11-21T10:00Z/2026-11-21T11:00+01:00", kNowMs),
            "2026-11-21T10:00Z/2026-11-21T11:00+01:00");
  EXPECT_EQ(*ExpandSlots("", kNowMs), "");
  for (const char* text : {"+", "+x", "+1+", "+1+0", "+1+2+3", "+-1", "+1y", "+99999999999999999999", "10-20;+"})
    EXPECT_EQ(ExpandSlots(text, kNowMs).status().code(), absl::StatusCode::kInvalidArgument) << text;
}

}  // namespace
}  // namespace smsflow::cli
