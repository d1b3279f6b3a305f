// How the kernel asks a workflow: the one place where its answer is completed, for deciding and for deciding anew.
#pragma once

#include <string>
#include <utility>

#include "workflows/workflow.h"

namespace smsflow::engine {

inline bool IsStored(const workflows::Decision& decision) {
  return decision.verdict == workflows::Verdict::kApplied || decision.verdict == workflows::Verdict::kNoted;
}

// A live timer, or a lease of a lost store, that the workflow has no answer to is gone all the same, and the journal
// has to say so.
inline workflows::Decision Step(const workflows::Workflow& workflow, const workflows::Instance& instance,
                                const workflows::Event& event, const workflows::Facts& facts) {
  workflows::Decision decision = workflow.Step(instance, event, facts);
  const bool lost = event.kind == workflows::kPeerLost;
  if (!IsStored(decision) && (event.kind == workflows::kTimerFired || lost)) {
    decision = {};
    decision.verdict = workflows::Verdict::kNoted;
    decision.state = instance.state;
    decision.data = std::string(instance.data);
    decision.ended = instance.ended;
    decision.cause = "timer_without_effect";
  }
  if (lost) decision.settled.push_back(event.effect);
  return decision;
}

}  // namespace smsflow::engine
