#include "gateway/hand_over.h"

namespace smsflow::gateway {
namespace {

// What is recorded of an attempt, as it is told to the engine: an INTENT is ACCEPTED.
Report Told(const AttemptId& attempt, const Record& known) {
  return {attempt, known.result.value_or(Reported::kAccepted), known.about, known.cause, known.at_ms};
}

Verdict Forgotten(const AttemptId& attempt, std::int64_t now_ms) {
  return {.store = std::nullopt, .report = Report{attempt, Reported::kUnknown, About::kNotSaid, "unknown", now_ms}};
}

bool Stronger(Reported word, const std::optional<Reported>& known) {
  using workflows::delivery::ResultOf;
  return !known.has_value() || ResultOf(word) > ResultOf(*known);
}

}  // namespace

Verdict OnLease(const AttemptId& attempt, std::int64_t deadline_ms, const std::optional<Record>& known,
                const Horizon& horizon) {
  if (known.has_value()) return {.store = std::nullopt, .report = Told(attempt, *known)};
  if (deadline_ms <= horizon.pruned_ms) return Forgotten(attempt, horizon.now_ms);
  Record record{.deadline_ms = deadline_ms, .result = std::nullopt, .cause = "", .at_ms = horizon.now_ms};
  const bool late = horizon.now_ms >= deadline_ms;
  if (late) {
    record.result = Reported::kExpired;
    record.cause = "expired";
  }
  return {.store = record, .report = Told(attempt, record), .submit = !late};
}

Verdict OnProbe(const AttemptId& attempt, std::int64_t deadline_ms, const std::optional<Record>& known,
                const Horizon& horizon) {
  if (known.has_value()) return {.store = std::nullopt, .report = Told(attempt, *known)};
  if (deadline_ms <= horizon.pruned_ms) return Forgotten(attempt, horizon.now_ms);
  const Record record{
      .deadline_ms = deadline_ms, .result = Reported::kNeverSeen, .cause = "never_seen", .at_ms = horizon.now_ms};
  return {.store = record, .report = Told(attempt, record)};
}

Verdict OnOutcome(const Report& word, const std::optional<Record>& known) {
  if (!known.has_value()) return {};  // forgotten since: nobody waits for it any more
  Verdict verdict{.store = std::nullopt, .report = word};
  if (Stronger(word.result, known->result)) {
    verdict.store = Record{known->deadline_ms, word.result, word.about, word.cause, word.at_ms};
  }
  return verdict;
}

std::optional<Record> OnRestart(const Record& known, std::int64_t now_ms) {
  if (known.result.has_value()) return std::nullopt;
  return Record{known.deadline_ms, Reported::kUnknown, About::kNotSaid, "restarted", now_ms};
}

}  // namespace smsflow::gateway
