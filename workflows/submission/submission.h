// One attempt at a gateway, from its lease to the last receipt of its last part, as a pure function over typed values:
// an attempt is submitted in one row of the table, and in no other. The table is in submission.cc.
//
// Same arguments, same result: no clock, no random, no I/O. Safe from any thread; throws nothing. Whoever commits makes
// `state` and `data` durable first, and only then submits and tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "workflows/submission/state.h"
#include "workflows/workflow.h"

namespace smsflow::workflows::submission {

// A Why in an event, its word whoever's it was. Needed only where something failed.
struct Reason {
  std::uint8_t about = 0;
  std::string_view cause = {};
};

struct Lease {};  // it is handed over, or once more
struct Probe {};  // the engine asks
// The answer to the submit of part `number`, 1 to `parts`. Of a part with a definite answer another one means nothing.
struct Answered {
  std::uint8_t number = 1;
  std::uint8_t parts = 1;
  PartsRule rule = PartsRule::kAll;
  Answer answer = Answer::kUnknown;
  Reason why = {};
};
// A receipt of part `number`.
struct Receipt {
  std::uint8_t number = 1;
  Heard heard = Heard::kUnderWay;
  Reason why = {};
};
// What a carrier says of the whole, be it that nothing of it ever left. UNKNOWN and above.
struct Word {
  State says = State::kUnknown;
  Reason why = {};
};
struct Restarted {};  // the process ended in between; whatever it was about to note is lost
using Event = std::variant<Lease, Probe, Answered, Receipt, Word, Restarted>;

struct Input {
  State state = State::kNew;
  Data data = {};
  std::int64_t deadline_ms = 0;
  std::int64_t now_ms = 0;
  std::int64_t pruned_ms = 0;  // an attempt whose deadline is not above it may have been forgotten
};

struct StepResult {
  State state = State::kNew;
  Data data = {};
  bool store = false;   // state or data have changed
  bool submit = false;  // once it is durable
  // What the engine is to hear. That of the state is told with what is kept with it, a carrier's weaker word with its
  // own reason.
  std::optional<State> tell = {};
  Why why = {};  // of `tell`, where it is not told again
};

StepResult Step(const Input& in, const Event& event);

// The rows of the machine, in the order of submission.cc.
std::vector<TableRow> TransitionTable();

}  // namespace smsflow::workflows::submission
