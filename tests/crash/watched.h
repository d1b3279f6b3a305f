// What a watch saw of one SMS, held against its journal. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "smsflow/v1/admin.pb.h"
#include "smsflow/v1/scheduler.pb.h"
#include "tests/crash/findings.h"

namespace smsflow::crash {

// One transition as a watch showed it, in words that a journal entry has too.
struct Seen {
  std::string words;
  int stretch = 0;  // how often the watch had been cut before
};
std::string WordsOf(const v1::Transition& transition);
std::string WordsOf(const v1::JournalEntry& entry);

// What one watch saw of one SMS against its journal, of which the first `least` entries must have been seen.
void CheckSeen(const std::string& id, const std::string& who, const std::vector<Seen>& seen,
               const v1::GetJournalResponse& journal, std::size_t least, Findings& findings);

}  // namespace smsflow::crash
