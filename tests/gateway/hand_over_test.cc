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

// An engine without attempts: every word that it does not await, or hears again, could make it submit again.
const OldName kOldName{"clinic", "process-17"};

// What it hears when these words come one after the other.
std::string Heard(const std::vector<Reported>& words) {
  Verdict verdict = OnLease(Attempt(1), kDeadline, std::nullopt, kHorizon, kOldName);
  EXPECT_TRUE(verdict.submit);
  EXPECT_FALSE(verdict.report.has_value()) << "ACCEPTED would be a failure to it";
  Record known = *verdict.store;
  EXPECT_EQ(known.old, kOldName);
  std::vector<Report> heard;
  for (const Reported word : words) {
    verdict = OnOutcome({Attempt(1), word, About::kNotSaid, "", kNow}, known);
    if (verdict.store.has_value()) known = *verdict.store;
    if (!verdict.report.has_value()) continue;
    EXPECT_EQ(verdict.report->old, kOldName);
    heard.push_back(*verdict.report);
  }
  return Told(heard);
}

TEST(OldEngine, HearsOnlyWhatIsNews) {
  using enum Reported;
  EXPECT_EQ(Heard({kSent, kDelivered}), "SENT, DELIVERED");
  EXPECT_EQ(Heard({kSent, kSent, kSent, kDelivered, kDelivered}), "SENT, DELIVERED");
  EXPECT_EQ(Heard({kDelivered, kSent}), "DELIVERED");
  EXPECT_EQ(Heard({kFailedTransient, kSent, kFailedPermanent, kInvalid}), "FAILED") << "it waits for its next try";
  EXPECT_EQ(Heard({kFailedTransient, kDelivered}), "FAILED, DELIVERED") << "which would be one too many";
  EXPECT_EQ(Heard({kSent, kInvalid, kFailedTransient}), "SENT, INVALID");
  EXPECT_EQ(Heard({kUnknown, kSent}), "SENT");
  EXPECT_EQ(Heard({kUnknown}), "");
}

TEST(OldEngine, ARecordThatIsReadAgainIsNoNews) {
  for (int number = 3; number <= 9; ++number) {
    Record known = Known(static_cast<Reported>(number));
    known.old = kOldName;
    const auto verdict = OnLease(Attempt(1), kDeadline, known, kHorizon, kOldName);
    EXPECT_FALSE(verdict.submit || verdict.store.has_value() || verdict.report.has_value()) << number;
  }
}

TEST(OldEngine, HearsThatItComesTooLate) {
  const auto verdict = OnLease(Attempt(1), kDeadline, std::nullopt, {0, kDeadline}, kOldName);
  EXPECT_FALSE(verdict.submit);
  EXPECT_EQ(Told({*verdict.report}), "EXPIRED expired");
}

TEST(OldEngine, HearsNothingOfWhatNobodyKnows) {
  Record known = Known(std::nullopt);
  known.old = kOldName;
  const auto record = OnRestart(known, kNow);
  EXPECT_EQ(record->result, Reported::kUnknown);
  EXPECT_EQ(record->old, kOldName);
}

}  // namespace
}  // namespace smsflow::gateway
