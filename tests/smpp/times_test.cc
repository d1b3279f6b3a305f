#include "smpp/times.h"

#include <gtest/gtest.h>

namespace smsflow::smpp {
namespace {

TEST(TimesTest, AValidityIsSaidFromNowOn) {
  EXPECT_EQ(RelativeTime(1), "000000000001000R");
  EXPECT_EQ(RelativeTime(86'400), "000001000000000R");
  EXPECT_EQ(RelativeTime(2 * 86'400 + 3 * 3600 + 4 * 60 + 5), "000002030405000R");
  EXPECT_EQ(RelativeTime(kRelativeMax_s), "000030235959000R");
  EXPECT_EQ(RelativeTime(kRelativeMax_s + 1), "000030235959000R");
  EXPECT_EQ(RelativeTime(0), std::nullopt);
  EXPECT_EQ(RelativeTime(-5), std::nullopt);
}

TEST(TimesTest, BothKindsAreRead) {
  EXPECT_EQ(ParseTime("000001000000000R")->seconds, 86'400);
  EXPECT_TRUE(ParseTime("000001000000000R")->relative);
  EXPECT_EQ(ParseTime("010203040506700R")->seconds, (365 + 60 + 3) * 86'400 + 4 * 3600 + 5 * 60 + 6);
  // 2026-01-01T00:00:00Z, then the same moment where clocks are 3 hours ahead, and 2 hours behind.
  EXPECT_EQ(ParseTime("260101000000000+")->seconds, 1'767'225'600);
  EXPECT_EQ(ParseTime("260101030000012+")->seconds, 1'767'225'600);
  EXPECT_EQ(ParseTime("251231220000908-")->seconds, 1'767'225'600);
  EXPECT_FALSE(ParseTime("260101000000000+")->relative);
}

TEST(TimesTest, WhatIsNoTimeIsNone) {
  for (const char* text :
       {"", "0", "260101000000000", "2601010000000000+", "26010100000000x+", "261301000000000+", "260230000000000+",
        "260100000000000+", "260101240000000+", "260101006000000+", "260101000060000+", "260101000000049+",
        "260101000000000Z", "-60101000000000+", "000001000000 00R"}) {
    EXPECT_EQ(ParseTime(text), std::nullopt) << text;
  }
}

TEST(TimesTest, AnAbsoluteTimeIsReadAsItWasWritten) {
  for (const std::int64_t second : {946'684'800LL, 951'782'399LL, 1'709'164'800LL, 1'767'225'600LL, 4'102'444'799LL}) {
    const auto text = AbsoluteTime(second);
    ASSERT_TRUE(text.has_value());
    EXPECT_EQ(ParseTime(*text)->seconds, second) << *text;
  }
  EXPECT_EQ(AbsoluteTime(1'767'225'600), "260101000000000+");
  EXPECT_EQ(AbsoluteTime(946'684'799), std::nullopt);
  EXPECT_EQ(AbsoluteTime(4'102'444'800), std::nullopt);
}

}  // namespace
}  // namespace smsflow::smpp
