#include "workflows/delivery/slots.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <sstream>

#include "workflows/delivery/policy.h"
#include "workflows/delivery/retry.h"
#include "workflows/delivery/zones.h"

namespace smsflow::workflows::delivery {
namespace {

std::string Normal(std::string_view text) {
  const auto zones = MakeZoneResolver();
  const ParsedSlots parsed = ParseSlots(text, zones.get());
  return parsed.ok() ? ToText(parsed.slots) : "error: " + parsed.error;
}

struct Case {
  const char* text;
  const char* normal;
};

TEST(Slots, AreReadSortedAndMerged) {
  const Case cases[] = {
      {"", ""},
      {"10-20", "10-20"},
      {"10-20;20-30", "10-30"},
      {"10-20;21-30", "10-20;21-30"},
      {"30-40;10-20;15-35", "10-40"},
      {"20-30;10-100", "10-100"},
      {"10-20;", "10-20"},
      {";10-20", "10-20"},
      {"0-1", "0-1"},
      {"010-0020", "10-20"},
      {"1970-01-01T00:00:10Z/1970-01-01T00:00:20Z", "10-20"},
      {"1970-01-01T00:00Z/1970-01-01T00:01Z", "0-60"},
      {"1970-01-01T00:00:10.999Z/1970-01-01T00:00:20.123456789Z", "10-20"},
      {"1970-01-01T03:00:10+03:00/1970-01-01T00:00:20Z", "10-20"},
      {"1970-01-01T03:00:10+03/1970-01-01T00:00:20+00:00:00", "10-20"},
      {"1969-12-31T19:00:10-05:00/1970-01-01t00:00:20z", "10-20"},
      {"1970-01-01T00:00:30Z/1970-01-01T00:00:40Z;10-20", "10-20;30-40"},
      {"2024-02-29T00:00Z/2024-02-29T00:01Z", "1709164800-1709164860"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(Normal(one.text), one.normal) << one.text;
    EXPECT_EQ(Normal(Normal(one.text)), one.normal) << "the normal form is read back as itself";
  }
}

TEST(Slots, WhatBreaksARuleIsToldByRuleAndPlace) {
  const Case cases[] = {
      {"10-20;;30-40", "error: slot 2: a time slot must not be empty"},
      {"10-20;;", "error: slot 2: a time slot must not be empty"},
      {" 10-20", "error: slot 1: a time slot must be SECONDS-SECONDS or TIME/TIME"},
      {"10-20 ", "error: slot 1: a time slot must be SECONDS-SECONDS or TIME/TIME"},
      {"10-20,30-40", "error: slot 1: a time slot must be SECONDS-SECONDS or TIME/TIME"},
      {"1-2-3", "error: slot 1: a time slot must be SECONDS-SECONDS or TIME/TIME"},
      {"-1-2", "error: slot 1: a time slot must be SECONDS-SECONDS or TIME/TIME"},
      {"10", "error: slot 1: a time slot must be SECONDS-SECONDS or TIME/TIME"},
      {"20-10", "error: slot 1: time slot must end after it starts"},
      {"10-20;30-30", "error: slot 2: time slot must end after it starts"},
      {"1-99999999999999999999999", "error: slot 1: a time must not lie beyond the year 9999"},
      {"1970-01-01T00:00Z/1970-01-01T00:01Z/1970-01-01T00:02Z",
       "error: slot 1: a time slot must be SECONDS-SECONDS or TIME/TIME"},
      {"1970-01-01T00:00+0300/1970-01-01T00:01Z",
       "error: slot 1: a time must be YYYY-MM-DDThh:mm[:ss] with an offset or a [zone]"},
      {"1970-01-01T00:00/1970-01-01T00:01Z", "error: slot 1: a time must have an offset or a [zone]"},
      {"2023-02-29T00:00Z/2023-03-01T00:00Z", "error: slot 1: a date or time must exist in the calendar"},
      {"2023-02-28T24:00Z/2023-03-01T00:00Z", "error: slot 1: a date or time must exist in the calendar"},
      {"2023-02-28T23:00+19:00/2023-03-01T00:00Z", "error: slot 1: an offset must be at most 18 hours"},
      {"1969-01-01T00:00Z/1970-01-01T00:01Z", "error: slot 1: a time must not lie before 1970"},
      {"2026-03-29T10:00[Mars/Olympus]/2026-03-29T12:00Z",
       "error: slot 1: a zone must be one of the time zone database"},
      {"10-", "error: slot 1: a time slot must be SECONDS-SECONDS or TIME/TIME"},
      {"9999-12-31T00:00Z/9999-12-31T23:00-18:00", "error: slot 1: a time must not lie beyond the year 9999"},
      {"2023-02-28T23:60Z/2023-03-01T00:00Z", "error: slot 1: a date or time must exist in the calendar"},
      {"2023-02-28T23:00:60Z/2023-03-01T00:00Z", "error: slot 1: a date or time must exist in the calendar"},
      {"2023-02-28T23:00+01:60/2023-03-01T00:00Z", "error: slot 1: an offset must be at most 18 hours"},
      {"2023-02-28T23:00+01:00:60/2023-03-01T00:00Z", "error: slot 1: an offset must be at most 18 hours"},
      {"2026-03-29T10:00[a=b]/2026-03-29T12:00Z", "error: slot 1: a zone must be one of the time zone database"},
      {"2026-03-29T10:00[]/2026-03-29T12:00Z", "error: slot 1: a zone must be one of the time zone database"},
      {"2026-07-01T10:00+05:00[Europe/Berlin]/2026-07-01T12:00Z",
       "error: slot 1: an offset must be one that its [zone] has at that time"},
  };
  for (const Case& one : cases) EXPECT_EQ(Normal(one.text), one.normal) << one.text;
}

// One piece too few or too many, at every place of a time.
TEST(Slots, ATimeHasOneForm) {
  for (const char* time : {"",
                           "2",
                           "202x-01-01T00:00Z",
                           "2026",
                           "2026x01-01T00:00Z",
                           "2026-0",
                           "2026-01",
                           "2026-01x01T00:00Z",
                           "2026-01-0",
                           "2026-01-01",
                           "2026-01-01 00:00Z",
                           "2026-01-01T0",
                           "2026-01-01T00",
                           "2026-01-01T00-00Z",
                           "2026-01-01T00:0",
                           "2026-01-01T00:00:0",
                           "2026-01-01T00:00:",
                           "2026-01-01T00:00:00.Z",
                           "2026-01-01T00:00:00.1234567890Z",
                           "2026-01-01T00:00+0",
                           "2026-01-01T00:00+00:0",
                           "2026-01-01T00:00+00:00:0",
                           "2026-01-01T00:00Zx",
                           "2026-01-01T00:00Z[Europe/Berlin",
                           "2026-01-01T00:00x[Europe/Berlin]"})
    EXPECT_EQ(Normal(std::string("2026-01-01T00:00Z/") + time),
              "error: slot 1: a time must be YYYY-MM-DDThh:mm[:ss] with an offset or a [zone]")
        << time;
}

// Berlin skips 02:00 to 03:00 on 2026-03-29 and shows 02:00 to 03:00 twice on 2026-10-25.
TEST(Slots, LocalTimesFollowTheClocksBeingTurned) {
  constexpr const char* kGapEnd = "2026-03-29T01:00:00Z";
  const Case cases[] = {
      {"2026-03-29T10:00[Europe/Berlin]/2026-03-29T11:00[Europe/Berlin]", "2026-03-29T08:00Z/2026-03-29T09:00Z"},
      {"2026-03-28T10:00[Europe/Berlin]/2026-03-28T11:00[!Europe/Berlin]", "2026-03-28T09:00Z/2026-03-28T10:00Z"},
      {"2026-03-29T02:30[Europe/Berlin]/2026-03-29T04:00[Europe/Berlin]", "2026-03-29T01:00Z/2026-03-29T02:00Z"},
      {"2026-03-29T01:30[Europe/Berlin]/2026-03-29T02:30[Europe/Berlin]", "2026-03-29T00:30Z/2026-03-29T01:00Z"},
      {"2026-10-25T02:30[Europe/Berlin]/2026-10-25T02:45[Europe/Berlin]", "2026-10-25T00:30Z/2026-10-25T01:45Z"},
      {"2026-10-25T02:30+01:00[Europe/Berlin]/2026-10-25T02:45[Europe/Berlin]", "2026-10-25T01:30Z/2026-10-25T01:45Z"},
      {"2026-10-25T01:30[Europe/Berlin]/2026-10-25T02:45+02:00[Europe/Berlin]", "2026-10-24T23:30Z/2026-10-25T00:45Z"},
      {"2026-07-01T10:00+02:00[Europe/Berlin]/2026-07-01T12:00Z", "2026-07-01T08:00Z/2026-07-01T12:00Z"},
      {"2026-07-01T10:00[America/Argentina/Buenos_Aires]/2026-07-01T14:00Z", "2026-07-01T13:00Z/2026-07-01T14:00Z"},
  };
  for (const Case& one : cases) EXPECT_EQ(Normal(one.text), Normal(one.normal)) << one.text;
  EXPECT_NE(Normal(std::string(kGapEnd) + "/2026-03-29T02:00Z"), "");
}

TEST(Slots, ZonesAreRefusedWithoutAResolver) {
  const ParsedSlots parsed = ParseSlots("2026-03-29T10:00[Europe/Berlin]/2026-03-29T12:00Z", nullptr);
  EXPECT_EQ(parsed.error, "slot 1: a zone cannot be resolved here; give an offset");
}

// Whoever asks later why an SMS left at that second must know by which rules of summer time it did.
TEST(Slots, SayByWhichDatabaseLocalTimesWereRead) {
  const auto zones = MakeZoneResolver();
  const std::string version = zones->Version();
  EXPECT_EQ(version.substr(0, 2), "20") << "the system's database does not say its version: " << version;
  const auto tzdata = [&](std::string_view text) {
    const ParsedSlots parsed = ParseSlots(text, zones.get());
    EXPECT_EQ(parsed.error, "");
    return parsed.tzdata;
  };
  EXPECT_EQ(tzdata("1767607200-1767610800"), "");
  EXPECT_EQ(tzdata("2026-03-29T10:00Z/2026-03-29T13:00+02:00"), "");
  EXPECT_EQ(tzdata("2026-03-29T10:00+02:00[Europe/Berlin]/2026-03-29T12:00Z"), "") << "the offset decides";
  EXPECT_EQ(tzdata("2026-03-29T10:00Z/2026-03-29T14:00[Europe/Berlin]"), version);
  EXPECT_EQ(tzdata("2026-03-29T10:00[Europe/Berlin]/2026-03-29T14:00Z;2026-03-30T10:00Z/2026-03-30T11:00Z"), version);
}

TEST(Slots, TheVersionOfTheDatabaseStandsInItsFirstLine) {
  const auto version = [](const std::string& text) {
    std::istringstream in(text);
    return TzdataVersion(in);
  };
  EXPECT_EQ(version("# version 2025b\n# This zic input file"), "2025b");
  EXPECT_EQ(version(""), "unknown") << "no such file";
  EXPECT_EQ(version("# version"), "unknown");
  EXPECT_EQ(version("! version 2025b"), "unknown");
  EXPECT_EQ(version("# redo 2025b"), "unknown");
}

TEST(Slots, DeadlineIsTheEndOfTheSlotThatHoldsIt) {
  const Slots slots = {{10, 20}, {30, 40}};
  EXPECT_EQ(DeadlineOf(slots, 10), 20);
  EXPECT_EQ(DeadlineOf(slots, 20), std::nullopt);
  EXPECT_EQ(DeadlineOf(slots, 35), 40);
}

TEST(Slots, LimitsNameEveryBrokenRule) {
  SlotLimits limits;
  limits.slots_max = 1;
  limits.horizon_ms = 86'400'000;
  limits.slot_min_s = 5;
  EXPECT_TRUE(CheckLimits({{10, 20}}, limits, 0).empty());
  const auto broken = CheckLimits({{10, 12}, {86'000, 86'401}}, limits, 0);
  ASSERT_EQ(broken.size(), 3u);
  EXPECT_EQ(broken[0], "must have at most 1 slots");
  EXPECT_EQ(broken[1], "the last slot must end within 1 days");
  EXPECT_EQ(broken[2], "a slot must last at least 5 s");
  EXPECT_TRUE(CheckLimits({{10, 12}, {86'000, 900'401}}, {0, 0, 0}, 0).empty());
  EXPECT_TRUE(CheckLimits({}, limits, 0).empty());
}

// Against the plainest picture of slots there is: one bit a second.
TEST(Slots, MergeLikeBitsInARow) {
  constexpr std::int64_t kSeconds = 200;
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<bool> in(kSeconds + 1, false);
    Slots slots;
    for (std::uint64_t count = random() % 8; count > 0; --count) {
      const auto from_s = static_cast<std::int64_t>(random() % (kSeconds - 1));
      const auto till_s = from_s + 1 + static_cast<std::int64_t>(random() % 40);
      slots.push_back({from_s, std::min(till_s, kSeconds)});
      for (std::int64_t second = slots.back().from_s; second < slots.back().till_s; ++second) in[second] = true;
    }
    const Slots normal = Normalise(slots);
    for (std::size_t i = 1; i < normal.size(); ++i)
      ASSERT_LT(normal[i - 1].till_s, normal[i].from_s) << "seed " << seed;
    ASSERT_EQ(Normalise(normal), normal);
    for (std::int64_t second = 0; second <= kSeconds; ++second) {
      std::int64_t end = second;
      while (end < kSeconds && in[end]) ++end;
      ASSERT_EQ(DeadlineOf(normal, second), in[second] ? std::optional(end) : std::nullopt) << "seed " << seed;
    }
  }
}

// Whatever the bytes: an answer, and what is accepted has a normal form that means the same.
TEST(Slots, AnyTextIsReadOrRefused) {
  const auto zones = MakeZoneResolver();
  const std::string_view pieces[] = {"10",
                                     "-",
                                     "20",
                                     ";",
                                     "/",
                                     "2026-01-05T10:00",
                                     "Z",
                                     "+01:00",
                                     "[Europe/Berlin]",
                                     "T",
                                     ":",
                                     ".5",
                                     " ",
                                     "[",
                                     "]",
                                     "9999-12-31T23:59:59Z",
                                     "1970-01-01T00:00Z",
                                     "30-40",
                                     "99999999999999999999",
                                     "\xff",
                                     ""};
  std::size_t accepted = 0;
  for (std::uint64_t seed = 0; seed < 50'000; ++seed) {
    std::mt19937_64 random(seed);
    std::string text;
    for (std::uint64_t count = random() % 8; count > 0; --count) text += pieces[random() % std::size(pieces)];
    const ParsedSlots parsed = ParseSlots(text, zones.get());
    if (!parsed.ok()) {
      ASSERT_TRUE(parsed.slots.empty());
      continue;
    }
    ++accepted;
    ASSERT_EQ(Normalise(parsed.slots), parsed.slots) << text;
    ASSERT_EQ(ParseSlots(ToText(parsed.slots), nullptr).slots, parsed.slots) << text;
  }
  EXPECT_GT(accepted, 1'000u) << "the pieces make too few schedules to show anything";
}

TEST(Windows, EndBeforeTheSlotByTheGuard) {
  Policy policy;
  EXPECT_EQ(GuardMs({0, 3600}, policy), 5'000);
  EXPECT_EQ(GuardMs({0, 20}, policy), 5'000);
  EXPECT_EQ(GuardMs({0, 4}, policy), 1'000);
  EXPECT_EQ(GuardMs({0, 1}, policy), 250);
  const Slots slots = {{10, 20}, {30, 40}};  // guard 2.5 s each
  EXPECT_EQ(FirstWindow(slots, policy, 0), (Plan{10'000, 17'500}));
  EXPECT_EQ(FirstWindow(slots, policy, 17'499), (Plan{17'499, 17'500}));
  EXPECT_EQ(FirstWindow(slots, policy, 17'500), (Plan{30'000, 37'500}));
  EXPECT_EQ(FirstWindow(slots, policy, 37'500), std::nullopt);
  policy.dedupe = false;  // an old gateway knows no guard
  EXPECT_EQ(FirstWindow(slots, policy, 17'500), (Plan{17'500, 20'000}));
}

TEST(Windows, AreOpenOnlyForWhatWasDueInThem) {
  const Policy policy;
  const Slots slots = {{10, 20}, {30, 40}};
  EXPECT_EQ(OpenWindow(slots, policy, 10'000, 12'000), (Plan{12'000, 17'500}));
  EXPECT_EQ(OpenWindow(slots, policy, 12'000, 11'000), std::nullopt) << "not due yet";
  EXPECT_EQ(OpenWindow(slots, policy, 10'000, 17'500), std::nullopt) << "the window is over";
  EXPECT_EQ(OpenWindow(slots, policy, 10'000, 31'000), std::nullopt) << "another slot";
  EXPECT_EQ(OpenWindow(slots, policy, 5'000, 12'000), std::nullopt) << "due outside of any slot";
}

TEST(Windows, JitterStaysWithinMaxJitterAndTheWindow) {
  Policy policy;
  policy.max_jitter_ms = 300'000;
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  EXPECT_EQ(WithJitter({0, 3'600'000}, policy, 0).due_ms, 0);
  EXPECT_EQ(WithJitter({0, 3'600'000}, policy, kMost).due_ms, 299'999);
  EXPECT_EQ(WithJitter({0, 3'600'000}, policy, kMost / 2 + 1).due_ms, 150'000);
  EXPECT_EQ(WithJitter({0, 60'000}, policy, kMost).due_ms, 59'999) << "never on or after the window's end";
  EXPECT_EQ(WithJitter({59'999, 60'000}, policy, kMost).due_ms, 59'999);
  policy.max_jitter_ms = 0;
  EXPECT_EQ(WithJitter({7, 60'000}, policy, kMost).due_ms, 7);
}

TEST(Windows, ProbesBackOffToOneAMinute) {
  const Policy policy;
  Data data;
  std::vector<std::int64_t> pauses;
  for (data.probes = 0; data.probes < 6; ++data.probes) pauses.push_back(NextProbeMs(data, policy, 1'000) - 1'000);
  EXPECT_EQ(pauses, (std::vector<std::int64_t>{60'000, 7'500, 15'000, 30'000, 60'000, 60'000}));
}

}  // namespace
}  // namespace smsflow::workflows::delivery
