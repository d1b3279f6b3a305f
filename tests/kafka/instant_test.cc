#include "kafka/instant.h"

#include <gtest/gtest.h>

#include "kafka/payload_text.h"

namespace smsflow::kafka {
namespace {

TEST(Instant, IsWrittenWithMillisecondsOnlyWhereThereAreSome) {
  EXPECT_EQ(FormatInstant(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatInstant(1'767'225'600'000), "2026-01-01T00:00:00Z");
  EXPECT_EQ(FormatInstant(1'767'225'600'007), "2026-01-01T00:00:00.007Z");
  EXPECT_EQ(FormatInstant(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatInstant(INT64_MAX), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatInstant(INT64_MIN), "0000-01-01T00:00:00Z");
}

TEST(Instant, IsReadBackAsItWasWritten) {
  for (const std::int64_t ms : {0LL, 1LL, -1LL, 951'782'400'123LL, 1'767'225'600'000LL, 253'402'300'799'999LL}) {
    EXPECT_EQ(ParseInstant(FormatInstant(ms)), ms) << ms;
  }
}

TEST(Instant, IsReadWithOffsetsAndFractions) {
  EXPECT_EQ(ParseInstant("2026-01-01T03:00:00+03:00"), 1'767'225'600'000);
  EXPECT_EQ(ParseInstant("2025-12-31T19:30:00-04:30"), 1'767'225'600'000);
  EXPECT_EQ(ParseInstant("2026-01-01T00:00Z"), 1'767'225'600'000);
  EXPECT_EQ(ParseInstant("2026-01-01T00:00:00.1Z"), 1'767'225'600'100);
  EXPECT_EQ(ParseInstant("2026-01-01T00:00:00.123456789Z"), 1'767'225'600'123);
}

TEST(Instant, IsNothingElse) {
  for (const char* text :
       {"", "now", "2026-01-01", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00+0300", "2026-01-01T00:00:00+19:00",
        "2026-01-01T00:00:00+05:75", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00Z ", "2026-1-1T00:00:00Z", "20260-01-01T00:00:00Z", "-026-01-01T00:00:00Z"}) {
    EXPECT_EQ(ParseInstant(text), std::nullopt) << text;
  }
}

TEST(PayloadText, TellsUtf8FromOtherBytes) {
  for (const char* text :
       {"", "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
  for (const char* text : {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                           "\xF4\x90\x80\x80", "\xFF", "\xE2\x82", "\xE2\x28\xA1"}) {
    EXPECT_FALSE(IsUtf8(text));
  }
}

}  // namespace
}  // namespace smsflow::kafka
