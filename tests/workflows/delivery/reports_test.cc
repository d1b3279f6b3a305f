// Receipts commute: whatever the order in which the reports of an SMS come, its end is the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/workflows/delivery/single_life.h"
#include "workflows/delivery/causes.h"

namespace smsflow::workflows::delivery {
namespace {

constexpr std::int64_t kNowMs = 1'767'603'600'000;  // 2026-01-05T09:00:00Z, on a whole second
constexpr std::int64_t kNowS = kNowMs / 1000;

struct Setting {
  std::uint32_t attempts = 1;  // that have left; all but the last one failed
  bool slot_left = true;       // after the last one
  Policy policy;
  std::optional<Event> command;  // applied while the last attempt is in flight
  bool timed_out = false;        // the last attempt is UNKNOWN before the reports come
};

// A life in which `attempts` have left, at an instant at which no further one can leave by itself.
SingleLife Prepared(const Setting& setting) {
  SingleLife life(kNowMs);
  life.policy = setting.policy;
  const std::int64_t end_s = kNowS + (setting.attempts - 1) * 600 + (setting.slot_left ? 86'400 : 60);
  life.Apply(EncodeSchedule({{"", "", "", {{kNowS, end_s}}}}), true);
  life.FireDue();
  while (life.leases() < setting.attempts) {
    life.Apply(EncodeReport({life.leases(), Reported::kFailedTransient, About::kNotSaid, "", 0}));
    life.AdvanceTo(*life.NextTimerMs());
  }
  life.credit = false;
  if (setting.command) life.Apply(*setting.command);
  if (setting.timed_out) life.Apply({kPeerLost, {}, 0, life.leases()});
  return life;
}

Setting Draw(std::mt19937_64& random) {
  Setting setting;
  setting.attempts = 1 + random() % 3;
  setting.slot_left = random() % 3 != 0;
  setting.policy.max_jitter_ms = 0;
  setting.policy.max_attempts = random() % 3 == 0 ? setting.attempts + static_cast<std::uint32_t>(random() % 2) : 0;
  setting.policy.on_unknown = random() % 2 == 0 ? OnUnknown::kHold : OnUnknown::kRetry;
  if (random() % 4 == 0) setting.command = EncodeCancel();
  if (random() % 6 == 0) setting.command = EncodeBlock();
  setting.timed_out = random() % 4 == 0;
  return setting;
}

// What a user, an operator and the next attempt depend on. Not whether the payload is there: on the way through an end
// it goes, and where that matters no attempt can follow in any order.
std::string EndOf(const SingleLife& life) {
  const SmsView view = life.View();
  std::string end(NameOf(view.state));
  end += " attempts " + std::to_string(view.attempts) + " results";
  for (const Result result : view.results) end += " " + std::to_string(static_cast<int>(result));
  end += " stop " + std::to_string(static_cast<int>(view.stop));
  return end + (life.ended() ? " over" : "");
}

std::string TextOf(const std::vector<Report>& reports) {
  std::string text;
  for (const Report& report : reports)
    text += " " + std::to_string(report.attempt) + ":" + std::string(NameOf(report.reported));
  return text;
}

TEST(Reports, EndTheSameInEveryOrder) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    std::mt19937_64 random(seed);
    const Setting setting = Draw(random);
    std::vector<Report> reports(2 + random() % 3);
    for (Report& report : reports) {
      report.attempt =
          random() % 3 == 0 ? 1 + static_cast<std::uint32_t>(random() % setting.attempts) : setting.attempts;
      report.reported = static_cast<Reported>(1 + random() % 9);
    }
    const auto less = [](const Report& a, const Report& b) {
      return std::pair(a.attempt, a.reported) < std::pair(b.attempt, b.reported);
    };
    std::sort(reports.begin(), reports.end(), less);
    std::string first_end, first_order;
    do {
      SingleLife life = Prepared(setting);
      for (const Report& report : reports) life.Apply(EncodeReport(report));
      for (const Report& report : reports) life.Apply(EncodeReport(report));  // and all of them once more
      ASSERT_TRUE(life.broken().empty()) << "seed " << seed << TextOf(reports) << ": " << life.broken().front();
      const std::string end = EndOf(life);
      if (first_end.empty()) first_end = end, first_order = TextOf(reports);
      ASSERT_EQ(end, first_end) << "seed " << seed << "\n this order:" << TextOf(reports)
                                << "\nfirst order:" << first_order;
    } while (std::next_permutation(reports.begin(), reports.end(), less));
  }
}

// The order itself: a lattice, so that joins commute, associate and repeat without harm.
TEST(Reports, ResultsFormALattice) {
  for (int a = 0; a <= 7; ++a) {
    for (int b = 0; b <= 7; ++b) {
      const auto first = static_cast<Result>(a), second = static_cast<Result>(b);
      EXPECT_EQ(Join(first, second), Join(second, first));
      EXPECT_EQ(Join(first, Join(first, second)), Join(first, second));
      EXPECT_GE(Join(first, second), std::max(first, second)) << "knowledge never shrinks";
      for (int c = 0; c <= 7; ++c)
        EXPECT_EQ(Join(Join(first, second), static_cast<Result>(c)), Join(first, Join(second, static_cast<Result>(c))));
    }
  }
  EXPECT_EQ(Join(Result::kNeverSeen, Result::kAccepted), Result::kUnknown);
}

TEST(Reports, OfAnAttemptTooOldToBeKeptOnlyDeliveredCounts) {
  SingleLife life(kNowMs);
  life.policy.max_jitter_ms = 0;
  life.Apply(EncodeSchedule({{"", "", "", {{kNowS, kNowS + 86'400}}}}), true);
  life.FireDue();
  while (life.leases() < kResultsKept + 3) {
    life.Apply(EncodeReport({life.leases(), Reported::kFailedTransient, About::kNotSaid, "", 0}));
    life.AdvanceTo(*life.NextTimerMs());
  }
  EXPECT_EQ(life.View().results.size(), kResultsKept);
  EXPECT_EQ(life.Apply(EncodeReport({2, Reported::kInvalid, About::kNotSaid, "", 0})).decision.verdict,
            Verdict::kIgnored);
  EXPECT_EQ(life.state(), State::kInSlot);
  life.Apply(EncodeReport({2, Reported::kDelivered, About::kNotSaid, "", 0}));
  EXPECT_EQ(life.state(), State::kDelivered);
  EXPECT_EQ(life.Apply(EncodeReport({3, Reported::kDelivered, About::kNotSaid, "", 0})).decision.verdict,
            Verdict::kIgnored);
  EXPECT_TRUE(life.broken().empty()) << life.broken().front();
}

TEST(Reports, OfLessThanIsKnownAreRecordedOnceHoweverOftenTheyAreSaid) {
  SingleLife life(kNowMs);
  life.policy.max_jitter_ms = 0;
  life.Apply(EncodeSchedule({{"", "", "", {{kNowS, kNowS + 86'400}}}}), true);
  life.FireDue();
  const auto verdict = [&](std::uint32_t attempt, Reported reported) {
    return life.Apply(EncodeReport({attempt, reported, About::kNotSaid, "", 0})).decision.verdict;
  };
  EXPECT_EQ(verdict(1, Reported::kAccepted), Verdict::kApplied);
  EXPECT_EQ(verdict(1, Reported::kSent), Verdict::kApplied);
  EXPECT_EQ(verdict(1, Reported::kAccepted), Verdict::kNoted);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(verdict(1, Reported::kAccepted), Verdict::kIgnored);
  EXPECT_EQ(life.state(), State::kSent);
  // Also when further attempts have left, and of each by itself.
  for (std::uint32_t attempt = 1; attempt < kResultsKept; ++attempt) {
    verdict(attempt, Reported::kFailedTransient);
    life.AdvanceTo(*life.NextTimerMs());
  }
  ASSERT_EQ(life.leases(), kResultsKept);
  EXPECT_EQ(verdict(1, Reported::kAccepted), Verdict::kIgnored);
  EXPECT_EQ(verdict(1, Reported::kSent), Verdict::kNoted);
  EXPECT_EQ(verdict(1, Reported::kSent), Verdict::kIgnored);
  EXPECT_EQ(verdict(2, Reported::kAccepted), Verdict::kNoted);
  EXPECT_EQ(verdict(2, Reported::kAccepted), Verdict::kIgnored);
  verdict(kResultsKept, Reported::kFailedTransient);
  life.AdvanceTo(*life.NextTimerMs());
  EXPECT_EQ(verdict(2, Reported::kAccepted), Verdict::kIgnored);
  EXPECT_EQ(verdict(3, Reported::kAccepted), Verdict::kNoted);
  EXPECT_EQ(verdict(2, Reported::kDelivered), Verdict::kApplied);
  EXPECT_TRUE(life.broken().empty()) << life.broken().front();
}

// A gateway that says both has lost its memory, or lies: somebody has to look, of whichever attempt it was.
TEST(Reports, ThatContradictEachOtherSaySo) {
  for (const bool retried : {false, true}) {
    SingleLife life(kNowMs);
    life.policy.max_jitter_ms = 0;
    life.Apply(EncodeSchedule({{"", "", "", {{kNowS, kNowS + 86'400}}}}), true);
    life.FireDue();
    const Reported first = retried ? Reported::kNeverSeen : Reported::kAccepted;
    const Reported second = retried ? Reported::kAccepted : Reported::kNeverSeen;
    life.Apply(EncodeReport({1, first, About::kNotSaid, "", 0}));
    if (retried) life.AdvanceTo(*life.NextTimerMs());
    EXPECT_EQ(life.leases(), retried ? 2U : 1U);
    const Step& step = life.Apply(EncodeReport({1, second, About::kNotSaid, "", 0}));
    EXPECT_EQ(step.decision.cause, cause::kContradiction);
    EXPECT_EQ(step.to, retried ? State::kInSlot : State::kUnknown);
    EXPECT_TRUE(life.broken().empty()) << life.broken().front();
  }
}

}  // namespace
}  // namespace smsflow::workflows::delivery
