// The table, drawn and complete: docs/submission.md shows it, and every state has an answer to every event. With
// SMSFLOW_REWRITE=1 in the environment the page's generated parts are written anew.
#include <gtest/gtest.h>

#include <set>

#include "tests/workflows/table_checks.h"
#include "workflows/submission/submission.h"

namespace smsflow::workflows::submission {
namespace {

constexpr const char* kPage = "docs/submission.md";

struct Sample {
  std::string_view signal;  // as the table calls it
  Event event;
};

Word Says(State state) { return {state, {0, "other"}}; }

std::vector<Sample> Samples() {
  return {{"lease", Lease{}},
          {"probe", Probe{}},
          {"UNKNOWN", Says(State::kUnknown)},
          {"SENT", Says(State::kSent)},
          {"EXPIRED", Says(State::kExpired)},
          {"FAILED", Says(State::kFailed)},
          {"INVALID", Says(State::kInvalid)},
          {"FAILED for good", Says(State::kFailedForGood)},
          {"DELIVERED", Says(State::kDelivered)}};
}

Input At(State state) {
  Input in;
  in.state = state;
  in.now_ms = 1'000;
  in.deadline_ms = 2'000;
  return in;
}

// For each state, what it makes of the events for which the table has no row.
std::string Refusals() {
  const auto table = TransitionTable();
  std::string text;
  for (const State state : kAllStates) {
    Refused refused;
    for (const Sample& sample : Samples()) {
      if (HasRow(table, NameOf(state), sample.signal)) continue;
      refused.Add(Step(At(state), sample.event).tell ? "told, for it was said; nothing is changed"
                                                     : "nothing: nothing of it ever left",
                  sample.signal);
    }
    text += refused.Lines(NameOf(state));
  }
  return text;
}

TEST(SubmissionTable, IsWhatThePageShows) { ExpectOnPage(kPage, TransitionTable(), Refusals()); }

TEST(SubmissionTable, EveryPairIsARowOrChangesNothing) {
  const auto table = TransitionTable();
  std::size_t rows = 0, refusals = 0;
  for (const State state : kAllStates) {
    for (const Sample& sample : Samples()) {
      SCOPED_TRACE(std::string(NameOf(state)) + ", " + std::string(sample.signal));
      if (HasRow(table, NameOf(state), sample.signal)) {
        ++rows;
        continue;
      }
      ++refusals;
      const StepResult result = Step(At(state), sample.event);
      EXPECT_EQ(result.state, state);
      EXPECT_FALSE(result.store);
      EXPECT_FALSE(result.submit);
    }
  }
  EXPECT_EQ(rows + refusals, std::size(kAllStates) * Samples().size());
}

TEST(SubmissionTable, KnowsNoSignalBesideTheSamples) {
  std::set<std::string_view> signals;
  for (const Sample& sample : Samples()) signals.insert(sample.signal);
  ExpectOnlySignals(TransitionTable(), signals);
}

// MSM tries the rows of one state and event from the last to the first. That must not matter.
TEST(SubmissionTable, GuardsOfOneStateAndEventExcludeEachOther) {
  const std::set<Guards> exclusive = {
      {"may be forgotten", "!may be forgotten & deadline over", "!may be forgotten & !deadline over"},
      {"may be forgotten", "!may be forgotten"}};
  ExpectGuardsExclude(TransitionTable(), exclusive);
}

// The promise of the whole: it is submitted from nothing, and from nothing else.
TEST(SubmissionTable, OneRowSubmits) {
  std::size_t submits = 0;
  for (const TableRow& row : TransitionTable()) submits += row.action.starts_with("submit") ? 1 : 0;
  EXPECT_EQ(submits, 1u);
  for (const State state : kAllStates) {
    for (const Sample& sample : Samples()) {
      const StepResult result = Step(At(state), sample.event);
      EXPECT_EQ(result.submit, state == State::kNew && sample.signal == "lease") << NameOf(state) << sample.signal;
      EXPECT_FALSE(result.submit && !result.store) << "not before it is durable";
    }
  }
}

TEST(SubmissionTable, ThePersistedNumbersStay) {
  const std::pair<State, int> states[] = {{State::kNew, 0},           {State::kNeverSeen, 1}, {State::kIntent, 2},
                                          {State::kUnknown, 3},       {State::kSent, 4},      {State::kFailed, 5},
                                          {State::kFailedForGood, 6}, {State::kInvalid, 7},   {State::kDelivered, 8},
                                          {State::kExpired, 9}};
  for (const auto& [state, number] : states) EXPECT_EQ(static_cast<int>(state), number);
  EXPECT_EQ(static_cast<int>(Answer::kAccepted), 2);
  EXPECT_EQ(static_cast<int>(Answer::kRefusedForGood), 6);
  EXPECT_EQ(static_cast<int>(Heard::kDelivered), 16);
  EXPECT_EQ(static_cast<int>(PartsRule::kLast), 3);
  std::set<std::string_view> names;
  for (const State state : kAllStates) names.insert(NameOf(state));
  for (int i = 0; i <= 6; ++i) names.insert(NameOf(static_cast<Answer>(i)));
  for (int i = 1; i <= 16; i *= 2) names.insert(NameOf(static_cast<Heard>(i)));
  for (int i = 0; i <= 3; ++i) names.insert(NameOf(static_cast<PartsRule>(i)));
  EXPECT_EQ(names.size(), std::size(kAllStates) + 7 + 5 + 4);
  EXPECT_FALSE(names.contains("?"));
  EXPECT_EQ(NameOf(State{77}), "?");
  EXPECT_EQ(NameOf(Answer{77}), "?");
  EXPECT_EQ(NameOf(Heard{77}), "?");
  EXPECT_EQ(NameOf(PartsRule{77}), "?");
}

// What a sound carrier does not say, but damage or a later version might: no step breaks on it.
TEST(SubmissionTable, WhatCannotBeChangesNothing) {
  for (const Event& event :
       {Event(Answered{.number = 0, .parts = 2}), Event(Answered{.number = 3, .parts = 2}),
        Event(Answered{.number = 1, .parts = 0}), Event(Receipt{.number = 1}), Event(Receipt{.number = 0}),
        Event(Answered{.answer = Answer::kNone}), Event(Word{.says = State::kNew}), Event(Word{.says = State::kIntent}),
        Event(Word{.says = State::kNeverSeen})}) {
    const StepResult result = Step(At(State::kIntent), event);
    EXPECT_EQ(result.state, State::kIntent);
    EXPECT_FALSE(result.store);
  }
  for (const State state : {State::kNew, State::kNeverSeen})
    EXPECT_FALSE(Step(At(state), Answered{.answer = Answer::kAccepted}).store) << "nothing of it ever left";
  Input in = At(State::kIntent);
  in.data.parts = {Part{Answer{77}, 255}};
  EXPECT_FALSE(Step(in, Receipt{.number = 1, .heard = Heard{64}}).submit);
  in.data.rule = PartsRule{77};
  EXPECT_FALSE(Step(in, Receipt{.number = 1, .heard = Heard::kFailed}).submit);
}

}  // namespace
}  // namespace smsflow::workflows::submission
