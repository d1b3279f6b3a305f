// docs/hand-over.md, "What the gateway does", row by row.
#include "gateway/hand_over.h"

#include <gtest/gtest.h>

#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

constexpr std::int64_t kDeadline = kNow + kHour;
const Horizon kHorizon{.pruned_ms = 0, .now_ms = kNow};

Record Known(std::optional<Reported> result) { return {kDeadline, result, About::kRoute, "throttled", kNow - 5}; }

TEST(OnLease, UnknownIsIntendedAcceptedAndSubmitted) {
  const auto verdict = OnLease(Attempt(1), kDeadline, std::nullopt, kHorizon);
  ASSERT_TRUE(verdict.store.has_value());
  EXPECT_EQ(*verdict.store, (Record{kDeadline, std::nullopt, About::kNotSaid, "", kNow}));
  EXPECT_EQ(verdict.report->result, Reported::kAccepted);
  EXPECT_TRUE(verdict.submit);
}

TEST(OnLease, AtItsDeadlineItExpiresAndIsNotSubmitted) {
  for (const std::int64_t late_ms : {0LL, 1LL, 1000LL}) {
    const auto verdict = OnLease(Attempt(1), kDeadline, std::nullopt, {0, kDeadline + late_ms});
    EXPECT_EQ(verdict.store->result, Reported::kExpired);
    EXPECT_EQ(verdict.report->result, Reported::kExpired);
    EXPECT_EQ(verdict.report->cause, "expired");
    EXPECT_FALSE(verdict.submit);
  }
  EXPECT_TRUE(OnLease(Attempt(1), kDeadline, std::nullopt, {0, kDeadline - 1}).submit);
}

TEST(OnLease, KnownIsToldAgainAndNeverSubmittedAgain) {
  for (int number = 1; number <= 9; ++number) {
    const auto result = static_cast<Reported>(number);
    if (result == Reported::kAccepted) continue;  // is never recorded: it is what an INTENT is told as
    const auto verdict = OnLease(Attempt(1), kDeadline, Known(result), kHorizon);
    EXPECT_FALSE(verdict.store.has_value());
    EXPECT_FALSE(verdict.submit) << number;
    EXPECT_EQ(verdict.report->result, result);
    EXPECT_EQ(verdict.report->about, About::kRoute);
    EXPECT_EQ(verdict.report->cause, "throttled");
  }
}

TEST(OnLease, AnIntentOfThisProcessIsAcceptedAgain) {
  const auto verdict = OnLease(Attempt(1), kDeadline, Known(std::nullopt), kHorizon);
  EXPECT_FALSE(verdict.store.has_value());
  EXPECT_FALSE(verdict.submit);
  EXPECT_EQ(verdict.report->result, Reported::kAccepted);
}

TEST(OnLease, WhatMayHaveBeenForgottenIsRefused) {
  for (const std::int64_t pruned_ms : {kDeadline, kDeadline + 1}) {
    const auto verdict = OnLease(Attempt(1), kDeadline, std::nullopt, {pruned_ms, kDeadline - 10});
    EXPECT_FALSE(verdict.store.has_value());
    EXPECT_FALSE(verdict.submit);
    EXPECT_EQ(verdict.report->result, Reported::kUnknown);
  }
  EXPECT_TRUE(OnLease(Attempt(1), kDeadline, std::nullopt, {kDeadline - 1, kDeadline - 10}).submit);
}

TEST(OnProbe, NeverSeenIsRememberedForEver) {
  const auto verdict = OnProbe(Attempt(1), kDeadline, std::nullopt, kHorizon);
  ASSERT_TRUE(verdict.store.has_value());
  EXPECT_EQ(verdict.store->result, Reported::kNeverSeen);
  EXPECT_EQ(verdict.report->result, Reported::kNeverSeen);
  // A lease that comes after it is told so, and not submitted.
  const auto lease = OnLease(Attempt(1), kDeadline, verdict.store, kHorizon);
  EXPECT_FALSE(lease.submit);
  EXPECT_EQ(lease.report->result, Reported::kNeverSeen);
}

TEST(OnProbe, TellsWhatIsRecorded) {
  EXPECT_EQ(OnProbe(Attempt(1), kDeadline, Known(std::nullopt), kHorizon).report->result, Reported::kAccepted);
  EXPECT_EQ(OnProbe(Attempt(1), kDeadline, Known(Reported::kSent), kHorizon).report->result, Reported::kSent);
  EXPECT_FALSE(OnProbe(Attempt(1), kDeadline, Known(Reported::kSent), kHorizon).store.has_value());
}

TEST(OnProbe, WhatMayHaveBeenForgottenIsUnknown) {
  const auto verdict = OnProbe(Attempt(1), kDeadline, std::nullopt, {kDeadline, kNow});
  EXPECT_FALSE(verdict.store.has_value());
  EXPECT_EQ(verdict.report->result, Reported::kUnknown);
}

TEST(OnOutcome, TheStrongerWordStaysAndBothAreTold) {
  const Reported order[] = {Reported::kUnknown, Reported::kSent, Reported::kFailedTransient, Reported::kFailedPermanent,
                            Reported::kDelivered};
  for (const Reported first : order) {
    for (const Reported second : order) {
      const Report word{Attempt(1), second, About::kRecipient, "absent", kNow};
      const auto verdict = OnOutcome(word, Known(first));
      EXPECT_EQ(verdict.store.has_value(), second > first) << NameOf(first) << " then " << NameOf(second);
      EXPECT_EQ(verdict.report->result, second);
      const Record stronger{kDeadline, second, About::kRecipient, "absent", kNow};
      EXPECT_EQ(verdict.store.value_or(stronger), stronger);
    }
  }
  EXPECT_TRUE(
      OnOutcome({Attempt(1), Reported::kUnknown, About::kNotSaid, "", 0}, Known(std::nullopt)).store.has_value());
}

TEST(OnOutcome, OfAForgottenAttemptNothingIsSaid) {
  const auto verdict = OnOutcome({Attempt(1), Reported::kSent, About::kNotSaid, "", 0}, std::nullopt);
  EXPECT_FALSE(verdict.store.has_value());
  EXPECT_FALSE(verdict.report.has_value());
}

TEST(OnRestart, AnIntentIsUnknownAndAResultStays) {
  const auto record = OnRestart(Known(std::nullopt), kNow);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->result, Reported::kUnknown);
  EXPECT_EQ(record->cause, "restarted");
  EXPECT_EQ(record->deadline_ms, kDeadline);
  EXPECT_FALSE(OnRestart(Known(Reported::kSent), kNow).has_value());
  EXPECT_FALSE(OnRestart(Known(Reported::kNeverSeen), kNow).has_value());
}

}  // namespace
}  // namespace smsflow::gateway
