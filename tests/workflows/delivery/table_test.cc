// The table, drawn and complete: docs/delivery.md shows it, and every state has an answer to every event. With
// SMSFLOW_REWRITE=1 in the environment the page's generated parts are written anew.
#include <gtest/gtest.h>

#include <set>

#include "tests/workflows/table_checks.h"
#include "workflows/delivery/delivery.h"
#include "workflows/graph.h"

namespace smsflow::workflows::delivery {
namespace {

constexpr const char* kPage = "docs/delivery.md";
constexpr std::int64_t kNowMs = 10'000'000;

struct Sample {
  std::string_view signal;  // as the table calls it
  AnyEvent event;
};

Report Reports(Reported reported) { return {1, reported, About::kNotSaid, "", 0}; }

std::vector<Sample> Samples() {
  return {
      {"schedule", Schedule{{"", "", "", {{9'000, 20'000}}}}},
      {"due", TimerFired{kDueTimer}},
      {"slot end", TimerFired{kSlotEndTimer}},
      {"silence", TimerFired{kProbeTimer}},
      {"receipt overdue", TimerFired{kReceiptTimer}},
      {"last slot over", TimerFired{kKeepTimer}},
      {"ACCEPTED", Reports(Reported::kAccepted)},
      {"UNKNOWN", Reports(Reported::kUnknown)},
      {"SENT", Reports(Reported::kSent)},
      {"FAILED", Reports(Reported::kFailedTransient)},
      {"FAILED for good", Reports(Reported::kFailedPermanent)},
      {"DELIVERED", Reports(Reported::kDelivered)},
      {"cancel", Cancel{}},
      {"block", Block{}},
      {"reschedule", Reschedule{Slots{{9'000, 20'000}}, false, {}}},
      {"resolve delivered", Resolve{How::kDelivered}},
      {"resolve retry", Resolve{How::kRetry}},
      {"give up", Resolve{How::kGiveUp}},
      {"look now", LookNow{}},
  };
}

// An SMS as it stands in `state`, with its slot open and one attempt behind it.
Input At(State state) {
  Input in;
  in.state = state;
  in.now_ms = kNowMs;
  in.has_payload = !IsEnd(state);
  if (state == State::kNew) return in;
  in.fixed.slots = {{9'000, 20'000}};
  in.data.due_ms = kNowMs;
  in.data.left_ms = kNowMs - 1'000;
  in.data.deadline_ms = 19'995'000;
  in.data.attempts = 1;
  switch (state) {
    case State::kInSlot:
      in.data.results = {Result::kNone};
      break;
    case State::kSent:
    case State::kUnconfirmed:
      in.data.results = {Result::kSent};
      break;
    case State::kUnknown:
      in.data.results = {Result::kUnknown};
      break;
    case State::kInvalid:
      in.data.results = {Result::kFailedPermanent};
      break;
    case State::kDelivered:
      in.data.results = {Result::kDelivered};
      break;
    default:
      in.data.results = {Result::kFailedTransient};
      break;
  }
  return in;
}

std::string Answer(const StepResult& result) {
  if (result.verdict == Verdict::kIgnored) return "ignored";
  if (result.verdict == Verdict::kNoted) return "noted";
  std::string text = result.code == Refusal::kNone ? "answered " : "refused ";
  if (result.outcome != Outcome::kNone) text.append(NameOf(result.outcome)).append(": ");
  return text.append(result.reason);
}

// For each state, its answers to the events for which the table has no row.
std::string Refusals() {
  const auto table = TransitionTable();
  std::string text;
  for (const State state : kAllStates) {
    Refused refused;
    for (const Sample& sample : Samples())
      if (!HasRow(table, NameOf(state), sample.signal))
        refused.Add(Answer(Step(At(state), sample.event)), sample.signal);
    text += refused.Lines(NameOf(state));
  }
  return text;
}

TEST(Table, IsWhatThePageShows) { ExpectOnPage(kPage, TransitionTable(), Refusals()); }

TEST(Table, EveryPairIsARowOrARefusalThatChangesNothing) {
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
      const Input in = At(state);
      const StepResult result = Step(in, sample.event);
      EXPECT_NE(result.verdict, Verdict::kApplied);
      EXPECT_EQ(result.state, state);
      EXPECT_TRUE(result.timers.empty() && result.effects.empty() && !result.erase_payload && !result.fixed);
      const bool report = std::holds_alternative<Report>(sample.event);
      if (!report) {
        EXPECT_EQ(result.data, in.data);
      }
      if (result.verdict == Verdict::kRefused) {
        EXPECT_FALSE(result.reason.empty());
      }
    }
  }
  EXPECT_EQ(rows + refusals, std::size(kAllStates) * Samples().size());
}

// Each row of the table names a sample's signal, so that the test above cannot overlook one.
TEST(Table, KnowsNoSignalBesideTheSamples) {
  std::set<std::string_view> signals;
  for (const Sample& sample : Samples()) signals.insert(sample.signal);
  ExpectOnlySignals(TransitionTable(), signals);
}

// MSM tries the rows of one state and event from the last to the first. That must not matter: their guards are one of
// these sets, of which at most one guard holds whatever the case ("may retry" holds only for what is not stopped).
TEST(Table, GuardsOfOneStateAndEventExcludeEachOther) {
  const std::set<Guards> exclusive = {
      {"target blocked", "!target blocked & slot left", "!target blocked & !slot left"},
      {"target blocked", "!target blocked & slot open", "!target blocked & !slot open & slot left",
       "!target blocked & !slot open & !slot left & last UNKNOWN",
       "!target blocked & !slot open & !slot left & !last UNKNOWN"},
      {"slot left", "!slot left & last UNKNOWN", "!slot left & !last UNKNOWN"},
      {"policy retries it", "!policy retries it"},
      {"may retry", "not stopped & !may retry", "was canceled", "was blocked"},
      {"not stopped", "was canceled", "was blocked"}};
  ExpectGuardsExclude(TransitionTable(), exclusive);
}

TEST(Table, EveryNumberHasANameAndWhatIsNoneSaysSo) {
  std::set<std::string_view> names;
  for (const State state : kAllStates) names.insert(NameOf(state));
  EXPECT_EQ(names.size(), std::size(kAllStates));
  EXPECT_EQ(NameOf(State{77}), "?");
  names.clear();
  for (int number = 0; number <= 14; ++number) names.insert(NameOf(static_cast<Outcome>(number)));
  EXPECT_EQ(names.size(), 15u);
  EXPECT_FALSE(names.contains("?"));
  EXPECT_EQ(NameOf(Outcome{77}), "?");
  names.clear();
  for (int number = 1; number <= 5; ++number) names.insert(NameOf(static_cast<Timer>(number)));
  EXPECT_EQ(names.size(), 5u);
  EXPECT_EQ(NameOf(Timer{77}), "?");
  names.clear();
  for (int number = 1; number <= 9; ++number) names.insert(NameOf(static_cast<Reported>(number)));
  EXPECT_EQ(names.size(), 9u);
  EXPECT_EQ(NameOf(Reported{77}), "?");
  EXPECT_EQ(ResultOf(Reported{77}), Result::kNone);
}

// What no life comes to, but damage or a later version might: no step breaks on it.
TEST(Table, AnUnlikelyCaseIsDecidedToo) {
  Input in = At(State::kInSlot);
  in.fixed.slots.clear();
  const StepResult slotless = Step(in, Reports(Reported::kUnknown));
  EXPECT_EQ(slotless.state, State::kUnknown);
  EXPECT_TRUE(slotless.erase_payload) << "nothing can need it any more";

  in = At(State::kUnknown);
  in.has_payload = false;
  EXPECT_EQ(Step(in, Resolve{How::kRetry}).outcome, Outcome::kNoSlotLeft) << "there is nothing to send again";
  in.has_payload = true;
  EXPECT_EQ(Step(in, Resolve{How::kRetry}).state, State::kPending);

  in = At(State::kInSlot);
  EXPECT_EQ(Step(in, Report{0, Reported::kSent, About::kNotSaid, "", 0}).outcome, Outcome::kNoSuchAttempt);
  EXPECT_EQ(Step(in, PeerLost{2}).verdict, Verdict::kIgnored) << "of another attempt";
  in.data.results = {Result::kSent};
  EXPECT_EQ(Step(in, PeerLost{1}).verdict, Verdict::kIgnored) << "of a known result nothing gets lost";

  in = At(State::kPending);
  const StepResult stranger = Step(in, TimerFired{Timer{77}});
  EXPECT_EQ(stranger.verdict, Verdict::kIgnored);
  EXPECT_EQ(stranger.data, in.data);
}

// After a long downtime everything is overdue at once: the gateway is still asked before the attempt is given up.
TEST(Table, AnAttemptThatBecameOverdueUnseenIsAskedForOnceMore) {
  Input in = At(State::kInSlot);
  in.now_ms = in.data.deadline_ms + 10 * 24 * 3600'000;
  const StepResult asked = Step(in, TimerFired{kSlotEndTimer, in.data.deadline_ms});
  EXPECT_EQ(asked.state, State::kInSlot);
  ASSERT_EQ(asked.effects.size(), 1u);
  EXPECT_EQ(asked.effects[0].kind, EffectKind::kProbe);
  ASSERT_EQ(asked.timers.size(), 1u);
  EXPECT_EQ(asked.timers[0].name, kProbeTimer);
  EXPECT_EQ(asked.timers[0].due_ms, in.now_ms + in.policy.probe_ms);
  in.data = asked.data;
  const std::int64_t due_ms = *asked.timers[0].due_ms;
  in.now_ms = due_ms + in.policy.probe_ms / 8;
  EXPECT_EQ(Step(in, TimerFired{kProbeTimer, due_ms}).state, State::kUnknown) << "nobody answered";
  ++in.now_ms;
  EXPECT_EQ(Step(in, TimerFired{kProbeTimer, due_ms}).state, State::kInSlot) << "away again";
}

// The last slot may be over and its timer late.
TEST(Table, ALookFindsNothingAfterTheLastSlot) {
  Input in = At(State::kPending);
  in.now_ms = in.fixed.slots.back().till_s * 1000;
  EXPECT_EQ(Step(in, LookNow{}).outcome, Outcome::kNotNow);
}

TEST(Table, NoAttemptHasTheNumberNought) { EXPECT_EQ(At(State::kSent).data.ResultOf(0), Result::kNone); }

TEST(Table, StateNumbersArePersisted) {
  const std::pair<State, int> numbers[] = {{State::kPending, 1},   {State::kInSlot, 2},  {State::kSent, 3},
                                           {State::kDelivered, 4}, {State::kExpired, 5}, {State::kCanceled, 6},
                                           {State::kBlocked, 7},   {State::kInvalid, 8}, {State::kUnconfirmed, 9},
                                           {State::kUnknown, 10}};
  for (const auto& [state, number] : numbers) EXPECT_EQ(static_cast<int>(state), number) << NameOf(state);
}

TEST(Graph, DrawsArrowsWithTheSameEndsOnce) {
  const std::vector<TableRow> table = {{"new", "start", "A", "", ""},
                                       {"A", "go", "B", "run", "ready"},
                                       {"A", "jump", "B", "", ""},
                                       {"B", "stay", "B", "", ""}};
  EXPECT_EQ(Mermaid(table), "stateDiagram-v2\n  [*] --> A: start\n  A --> B: go [ready]<br/>jump\n  B --> B: stay\n");
  EXPECT_EQ(Dot(table),
            "digraph workflow {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n  \"new\" [shape=point];\n"
            "  \"new\" -> \"A\" [label=\"start\"];\n  \"A\" -> \"B\" [label=\"go [ready]\\njump\"];\n"
            "  \"B\" -> \"B\" [label=\"stay\"];\n}\n");
}

}  // namespace
}  // namespace smsflow::workflows::delivery
