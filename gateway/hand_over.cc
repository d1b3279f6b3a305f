#include "gateway/hand_over.h"

#include <utility>

#include "smpp/message_ids.h"

namespace smsflow::gateway {
namespace {

namespace submission = workflows::submission;
using submission::State;

// The numbers of a state and of what is reported of it are the same.
Reported ReportedOf(State state) { return static_cast<Reported>(state); }
State StateOf(Reported reported) { return static_cast<State>(reported); }

State StateOf(const std::optional<Record>& known) {
  if (!known.has_value()) return State::kNew;
  return known->result.has_value() ? StateOf(*known->result) : State::kIntent;
}

submission::Reason Reason(About about, std::string_view cause) { return {static_cast<std::uint8_t>(about), cause}; }

// Of what is told, what an engine hears that has no attempts of its own. After a failure it waits for its next try, and
// would take another word for one of that; what was delivered is over in any case.
bool IsNewsToOldEngine(State before, const submission::StepResult& step) {
  if (step.state == before || step.tell != step.state) return false;
  if (step.state == State::kDelivered) return true;
  if (step.state == State::kIntent || step.state == State::kUnknown || step.state == State::kNeverSeen) return false;
  return before < State::kFailed;
}

Verdict Decide(const AttemptId& attempt, std::int64_t deadline_ms, const std::optional<Record>& known,
               const Horizon& horizon, const submission::Event& event, const OldName& asks = {}) {
  const State before = StateOf(known);
  const OldName& old = known.has_value() ? known->old : asks;
  submission::Input in{before, {}, deadline_ms, horizon.now_ms, horizon.pruned_ms};
  if (known.has_value()) in.data = known->data;
  submission::StepResult step = submission::Step(in, event);

  Verdict verdict;
  verdict.submit = step.submit;
  const auto about = static_cast<About>(step.why.about);
  if (step.store) {
    Record record = known.value_or(Record{});
    record.deadline_ms = deadline_ms;
    record.old = old;
    record.data = std::move(step.data);
    if (step.state != before) {
      if (step.state != State::kIntent) record.result = ReportedOf(step.state);
      record.about = about;
      record.cause = step.why.cause;
      record.at_ms = horizon.now_ms;
    }
    verdict.store = std::move(record);
  }
  if (!step.tell.has_value() || (!old.empty() && !IsNewsToOldEngine(before, step))) return verdict;
  const bool again = step.tell == before && (std::holds_alternative<submission::Lease>(event) ||
                                             std::holds_alternative<submission::Probe>(event));
  verdict.report = again ? Report{attempt, ReportedOf(before), known->about, known->cause, known->at_ms}
                         : Report{attempt, ReportedOf(*step.tell), about, std::move(step.why.cause), horizon.now_ms};
  if (known.has_value()) verdict.report->tenant = known->tenant;
  verdict.report->old = old;
  verdict.awaited = verdict.report->result != Reported::kNeverSeen;
  return verdict;
}

}  // namespace

Verdict OnLease(const AttemptId& attempt, std::int64_t deadline_ms, const std::optional<Record>& known,
                const Horizon& horizon, const OldName& old) {
  return Decide(attempt, known.has_value() ? known->deadline_ms : deadline_ms, known, horizon, submission::Lease{},
                old);
}

Verdict OnProbe(const AttemptId& attempt, std::int64_t deadline_ms, const std::optional<Record>& known,
                const Horizon& horizon) {
  return Decide(attempt, known.has_value() ? known->deadline_ms : deadline_ms, known, horizon, submission::Probe{});
}

Verdict OnGivenBack(const AttemptId& attempt, std::int64_t deadline_ms, const Horizon& horizon) {
  Verdict verdict = Decide(attempt, deadline_ms, std::nullopt, horizon, submission::Probe{});
  verdict.awaited = true;
  if (!verdict.store.has_value()) return verdict;
  verdict.store->about = verdict.report->about = About::kRoute;
  verdict.store->cause = verdict.report->cause = "smsc_unreachable";
  return verdict;
}

Verdict OnOutcome(const Report& word, const std::optional<Record>& known) {
  if (!known.has_value()) return {};  // forgotten since: nobody waits for it any more
  return Decide(word.attempt, known->deadline_ms, known, {0, word.at_ms},
                submission::Word{StateOf(word.result), Reason(word.about, word.cause)});
}

Verdict OnPart(const PartAnswer& answer, const std::optional<Record>& known) {
  if (!known.has_value()) return {};
  Verdict verdict = Decide(answer.attempt, known->deadline_ms, known, {0, answer.at_ms},
                           submission::Answered{answer.number, answer.parts, answer.rule, answer.answer,
                                                Reason(answer.about, answer.cause)});
  const std::string id = smpp::NormalId(answer.message_id);
  if (!verdict.store.has_value() || id.empty()) return verdict;
  Record& record = *verdict.store;
  record.account = answer.account;
  record.ids.resize(record.data.parts.size());
  record.ids[answer.number - std::size_t{1}] = id;
  return verdict;
}

Verdict OnReceipt(const SmscReceipt& receipt, const AttemptId& attempt, std::uint8_t number,
                  const std::optional<Record>& known) {
  if (!known.has_value()) return {};
  return Decide(attempt, known->deadline_ms, known, {0, receipt.at_ms},
                submission::Receipt{number, receipt.heard, Reason(receipt.about, receipt.cause)});
}

std::optional<Record> OnRestart(const Record& known, std::int64_t now_ms) {
  return Decide({}, known.deadline_ms, known, {0, now_ms}, submission::Restarted{}).store;
}

}  // namespace smsflow::gateway
