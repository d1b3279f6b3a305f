// What must be true once everything has drained: the client's record against the engine's answers and the gateway's
// truth.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/crash/api.h"
#include "tests/crash/book.h"

namespace smsflow::crash {

struct Submit {
  std::uint32_t attempt = 0;
  std::int64_t at_ms = 0;
  std::int64_t deadline_ms = 0;
};
using Truth = std::map<std::string, std::vector<Submit>>;  // by the 16 bytes of the instance id

// Notes every attempt that stands there twice, or at or after its deadline, and every line that is none.
Truth ReadTruth(const std::string& file, Findings& findings);

struct Outcome {
  std::map<std::string, std::uint64_t> states;  // how many ended in each, with its cause
  std::uint64_t submits = 0;
  std::uint64_t lost_window = 0;  // UNKNOWN although the gateway would have answered
};

// Waits until each acknowledged SMS is over, then looks at each. `patience_ms` counts from the end of the last slot.
Outcome CheckAll(Api& api, const Book& book, const std::string& truth_file, std::int64_t patience_ms,
                 Findings& findings);

}  // namespace smsflow::crash
