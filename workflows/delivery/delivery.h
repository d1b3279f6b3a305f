// The life of one SMS as a pure function over typed values. The table of transitions is in delivery.cc; what is decided
// before it (what a report amounts to) in reports.cc, what its rows do in actions.cc, what has no row in refusals.cc.
//
// Same arguments, same result: no clock, no random, no I/O. Safe from any thread; throws nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workflows/delivery/events.h"
#include "workflows/delivery/policy.h"
#include "workflows/delivery/state.h"
#include "workflows/workflow.h"

namespace smsflow::workflows::delivery {

// Raised whenever Step() decides differently for the same arguments.
inline constexpr std::uint32_t kWorkflowVersion = 3;

struct Input {
  State state = State::kNew;
  Fixed fixed;  // for a Schedule event that of the event is read
  Data data;
  Policy policy;
  std::int64_t now_ms = 0;
  std::uint64_t random = 0;
  bool target_blocked = false;  // read for a Schedule event and for the due timer
  bool has_payload = false;     // still stored, so that another attempt could carry it
};

// In the terms of the kernel's Decision (workflows/workflow.h), whose fields of the same names it becomes.
struct StepResult {
  Verdict verdict = Verdict::kIgnored;
  Outcome outcome = Outcome::kNone;
  Refusal code = Refusal::kNone;
  std::string_view reason;
  State state = State::kNew;
  Data data;
  std::optional<Fixed> fixed;
  bool erase_payload = false;
  bool take_payload = false;
  std::optional<std::int64_t> retain_until_ms;
  std::vector<TimerChange> timers;
  std::vector<Effect> effects;
  std::vector<std::uint32_t> accepted;
  std::vector<std::uint32_t> settled;
  std::uint32_t about = 0;
  std::string cause;
};

StepResult Step(const Input& in, const AnyEvent& event);

// The rows of the machine, in the order of delivery.cc.
std::vector<TableRow> TransitionTable();

}  // namespace smsflow::workflows::delivery
