// Reports commute: whatever the order in which answers and receipts of the parts of an SMS come, its end is the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "workflows/submission/submission.h"

namespace smsflow::workflows::submission {
namespace {

// What is to be heard of one part, in an order that can be: no receipt before the id, no second definite answer.
std::vector<Event> DrawPart(std::mt19937_64& random, std::uint8_t number, std::uint8_t parts, PartsRule rule) {
  const auto answer = [&](Answer what) { return Answered{number, parts, rule, what, {}}; };
  std::vector<Event> events;
  if (random() % 4 == 0) events.push_back(answer(Answer::kUnknown));
  constexpr Answer kDefinite[] = {Answer::kAccepted, Answer::kAccepted, Answer::kAccepted,       Answer::kAccepted,
                                  Answer::kExpired,  Answer::kRefused,  Answer::kRefusedForGood, Answer::kGivenUp};
  const Answer definite = kDefinite[random() % std::size(kDefinite)];
  if (!events.empty() && random() % 2 == 0) return events;
  events.push_back(answer(definite));
  if (definite != Answer::kAccepted) return events;
  for (std::uint64_t n = random() % 4; n > 0; --n) {
    events.push_back(Receipt{number, static_cast<Heard>(1U << (random() % 5)), {}});
  }
  return events;
}

struct Life {
  State state = State::kNew;
  Data data = {};
  int submits = 0;
  int lowered = 0;

  void Apply(const Event& event) {
    const StepResult result = Step({state, data, 2'000, 1'000, 0}, event);
    lowered += RankOf(result.state) < RankOf(state) ? 1 : 0;
    submits += result.submit ? 1 : 0;
    EXPECT_TRUE(result.store || (result.state == state && result.data == data)) << "a change that nobody would write";
    if (RankOf(result.state) > RankOf(state)) {
      EXPECT_EQ(result.tell, result.state) << "risen, and nobody is told";
    }
    state = result.state;
    data = result.data;
  }
};

TEST(SubmissionReports, CommuteAndRise) {
  std::mt19937_64 random(20261121);
  std::array<int, 10> ends{};
  for (int round = 0; round < 4'000; ++round) {
    const auto parts = static_cast<std::uint8_t>(1 + random() % 4);
    const auto rule = static_cast<PartsRule>(random() % 4);
    std::vector<std::vector<Event>> of_parts;
    std::size_t all = 0;
    for (std::uint8_t number = 1; number <= parts; ++number) {
      of_parts.push_back(DrawPart(random, number, parts, rule));
      all += of_parts.back().size();
    }
    std::optional<State> end;
    for (int order = 0; order < 6; ++order) {
      Life life;
      life.Apply(Lease{});
      std::vector<std::size_t> at(of_parts.size(), 0);
      for (std::size_t left = all; left > 0;) {
        const std::size_t part = random() % of_parts.size();
        if (at[part] == of_parts[part].size()) continue;
        // Receipts of one part may change places with each other, its answers may not.
        if (const std::size_t next = at[part] + 1; next < of_parts[part].size() && random() % 2 == 0 &&
                                                   std::holds_alternative<Receipt>(of_parts[part][at[part]])) {
          std::swap(of_parts[part][at[part]], of_parts[part][next]);
        }
        const Event event = of_parts[part][at[part]++];
        life.Apply(event);
        if (random() % 4 == 0) life.Apply(event);  // it comes twice
        if (random() % 16 == 0) life.Apply(Lease{});
        if (random() % 16 == 0) life.Apply(Probe{});
        --left;
      }
      EXPECT_EQ(life.submits, 1);
      EXPECT_EQ(life.lowered, 0);
      EXPECT_EQ(life.state, Amounts(life.data).value_or(State::kIntent));
      if (end) {
        EXPECT_EQ(life.state, *end) << "round " << round;
      }
      end = life.state;
    }
    ++ends[static_cast<std::size_t>(*end)];
  }
  for (const State state :
       {State::kUnknown, State::kSent, State::kExpired, State::kFailed, State::kFailedForGood, State::kDelivered}) {
    EXPECT_GT(ends[static_cast<std::size_t>(state)], 20) << NameOf(state) << " is hardly ever drawn";
  }
}

// A restart anywhere: what had no answer is unknown, nothing is submitted again, and what comes later still counts.
TEST(SubmissionReports, ARestartLosesNothingThatWasNoted) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 4'000; ++round) {
    const auto parts = static_cast<std::uint8_t>(1 + random() % 3);
    std::vector<Event> events;
    for (std::uint8_t number = 1; number <= parts; ++number) {
      for (const Event& event : DrawPart(random, number, parts, PartsRule::kAll)) events.push_back(event);
    }
    Life smooth, cut;
    smooth.Apply(Lease{});
    cut.Apply(Lease{});
    const std::size_t at = random() % (events.size() + 1);
    for (std::size_t i = 0; i <= events.size(); ++i) {
      if (i == at) {
        cut.Apply(Restarted{});
        EXPECT_GE(RankOf(cut.state), RankOf(State::kUnknown)) << "nothing stays an INTENT";
        cut.Apply(Lease{});
      }
      if (i == events.size()) break;
      smooth.Apply(events[i]);
      cut.Apply(events[i]);
    }
    EXPECT_EQ(cut.submits, 1);
    if (RankOf(smooth.state) > RankOf(State::kUnknown)) {
      EXPECT_EQ(cut.state, smooth.state);
    }
  }
}

}  // namespace
}  // namespace smsflow::workflows::submission
