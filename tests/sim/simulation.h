// One seed, one thread, virtual time: real delivery workflow, real codec, real engine over a store that loses what was
// not synced, and gateways that die, lose their store and their link. The same seed makes the same run.
//
// A run has a rough phase, in which anything may fail between any two steps, and a quiet one, in which all is mended and
// everything must end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smsflow::sim {

struct RunReport {
  std::vector<std::string> violations;  // empty: all held
  std::string journal;                  // readable, when something did not
  std::uint64_t trace_hash = 0;         // of every decision that was made; the same for the same seed
  std::uint64_t scheduled = 0;
  std::uint64_t crashes = 0;
  std::uint64_t submits = 0;
  std::uint64_t delivered = 0;
};

struct RunOptions {
  std::uint64_t seed = 1;
  int steps = 400;
  bool sync = true;  // false: the engine acknowledges what is not durable, which must be noticed
};

RunReport RunSeed(const RunOptions& options);

}  // namespace smsflow::sim
