// The table, drawn and complete: docs/submission.md shows it, and every state has an answer to every event. With
// SMSFLOW_REWRITE=1 in the environment the page's generated parts are written anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "workflows/graph.h"
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

bool HasRow(const std::vector<TableRow>& table, State state, std::string_view signal) {
  return std::any_of(table.begin(), table.end(),
                     [&](const TableRow& row) { return row.source == NameOf(state) && row.event == signal; });
}

// For each state, what it makes of the events for which the table has no row.
std::string Refusals() {
  const auto table = TransitionTable();
  std::string text;
  for (const State state : kAllStates) {
    std::map<std::string, std::string> answers;
    for (const Sample& sample : Samples()) {
      if (HasRow(table, state, sample.signal)) continue;
      const std::string answer = Step(At(state), sample.event).tell ? "told, for it was said; nothing is changed"
                                                                    : "nothing: nothing of it ever left";
      std::string& events = answers[answer];
      if (!events.empty()) events += ", ";
      events += sample.signal;
    }
    for (const auto& [answer, events] : answers)
      text.append("| ").append(NameOf(state)).append(" | ").append(events).append(" | ").append(answer).append(" |\n");
  }
  return text;
}

std::string ReadPage() {
  std::ifstream in(kPage);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void Exchange(std::string& page, std::string_view begin, std::string_view end, const std::string& fresh) {
  std::size_t from = page.find(begin);
  ASSERT_NE(from, page.npos) << kPage << " lacks " << begin;
  from += begin.size();
  const std::size_t to = page.find(end, from);
  ASSERT_NE(to, page.npos) << kPage << " lacks " << end << " after " << begin;
  page.replace(from, to - from, fresh);
}

TEST(SubmissionTable, IsWhatThePageShows) {
  const std::string before = ReadPage();
  std::string page = before;
  Exchange(page, "```mermaid\n", "```", Mermaid(TransitionTable()));
  Exchange(page, "|---|---|---|\n", "\n## ", Refusals());
  if (std::getenv("SMSFLOW_REWRITE") != nullptr)
    std::ofstream(kPage) << page;
  else
    EXPECT_EQ(before, page);
}

TEST(SubmissionTable, EveryPairIsARowOrChangesNothing) {
  const auto table = TransitionTable();
  std::size_t rows = 0, refusals = 0;
  for (const State state : kAllStates) {
    for (const Sample& sample : Samples()) {
      SCOPED_TRACE(std::string(NameOf(state)) + ", " + std::string(sample.signal));
      if (HasRow(table, state, sample.signal)) {
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
  const auto samples = Samples();
  for (const TableRow& row : TransitionTable()) {
    const auto known = [&](const Sample& sample) { return sample.signal == row.event; };
    EXPECT_TRUE(std::any_of(samples.begin(), samples.end(), known)) << row.event;
  }
}

// MSM tries the rows of one state and event from the last to the first. That must not matter.
TEST(SubmissionTable, GuardsOfOneStateAndEventExcludeEachOther) {
  using Guards = std::set<std::string_view>;
  const std::set<Guards> exclusive = {
      {"may be forgotten", "!may be forgotten & deadline over", "!may be forgotten & !deadline over"},
      {"may be forgotten", "!may be forgotten"}};
  std::map<std::pair<std::string_view, std::string_view>, std::vector<std::string_view>> rows;
  for (const TableRow& row : TransitionTable()) rows[{row.source, row.event}].push_back(row.guard);
  for (const auto& [pair, guards] : rows) {
    if (guards.size() == 1) continue;
    EXPECT_TRUE(exclusive.contains(Guards(guards.begin(), guards.end()))) << pair.first << ", " << pair.second;
  }
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
  for (const Event& event : {Event(Answered{.number = 0, .parts = 2}), Event(Answered{.number = 3, .parts = 2}),
                             Event(Answered{.number = 1, .parts = 0}), Event(Receipt{.number = 1}),
                             Event(Word{.says = State::kNew}), Event(Word{.says = State::kIntent})}) {
    const StepResult result = Step(At(State::kIntent), event);
    EXPECT_EQ(result.state, State::kIntent);
    EXPECT_FALSE(result.store);
  }
  Input in = At(State::kIntent);
  in.data.parts = {Part{Answer{77}, 255}};
  EXPECT_FALSE(Step(in, Receipt{.number = 1, .heard = Heard{64}}).submit);
  in.data.rule = PartsRule{77};
  EXPECT_FALSE(Step(in, Receipt{.number = 1, .heard = Heard::kFailed}).submit);
}

}  // namespace
}  // namespace smsflow::workflows::submission
