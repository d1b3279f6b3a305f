// The gateway's side of the hand-over: what a lease, a probe, a carrier's word, an answer or a receipt of a part, or a
// restart means for an attempt, given what is recorded of it. Decided by workflows/submission; here its states become
// records and reports. docs/hand-over.md shows the same as a table.
//
// Pure functions over values.
#pragma once

#include <cstdint>
#include <optional>

#include "gateway/attempt.h"

namespace smsflow::gateway {

// To be done in this order: `store` made durable, then the rest.
struct Verdict {
  std::optional<Record> store;
  std::optional<Report> report;
  bool submit = false;
  bool awaited = false;  // `report` is told until it is answered; else who wants to know asks again
};

// Attempts whose deadline is at or below `pruned_ms` may have been forgotten.
struct Horizon {
  std::int64_t pruned_ms = 0;
  std::int64_t now_ms = 0;
};

// `old`: the engine that asks has no attempts of its own. It hears only what such an engine knows, and that only when
// it is news: for a word that comes again it would submit again.
Verdict OnLease(const AttemptId& attempt, std::int64_t deadline_ms, const std::optional<Record>& known,
                const Horizon& horizon, const OldName& old = {});
Verdict OnProbe(const AttemptId& attempt, std::int64_t deadline_ms, const std::optional<Record>& known,
                const Horizon& horizon);
// What waited, was never recorded, and shall not wait: refused from now on, as after a probe.
Verdict OnGivenBack(const AttemptId& attempt, std::int64_t deadline_ms, const Horizon& horizon);
// `word` comes from the carrier. Of two words the stronger one stays recorded, but both are told.
Verdict OnOutcome(const Report& word, const std::optional<Record>& known);
// With an id that it brings, for the receipts that are to come.
Verdict OnPart(const PartAnswer& answer, const std::optional<Record>& known);
// `receipt` is of part `number`.
Verdict OnReceipt(const SmscReceipt& receipt, const AttemptId& attempt, std::uint8_t number,
                  const std::optional<Record>& known);
// What was open when the process ended: nobody knows whether it was submitted.
std::optional<Record> OnRestart(const Record& known, std::int64_t now_ms);

}  // namespace smsflow::gateway
