// What must be true once everything has drained: the client's record against the engine's answers and the gateway's
// truth.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/crash/answers.h"
#include "tests/crash/book.h"

namespace smsflow::crash {

struct Outcome {
  std::map<std::string, std::uint64_t> states;             // how many ended in each, with its cause
  std::map<std::string, v1::GetJournalResponse> journals;  // by id
  std::uint64_t submits = 0;
  std::vector<std::string> lost_window;  // ids of those UNKNOWN although the gateway would have answered
};

// Waits until each acknowledged SMS is over, then looks at each. `patience_ms` counts from the end of the last slot.
Outcome CheckAll(Answers& answers, const Book& book, const std::string& truth_file, std::int64_t patience_ms,
                 Findings& findings);

}  // namespace smsflow::crash
