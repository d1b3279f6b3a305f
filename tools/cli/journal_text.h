// The life of one SMS as a person wants to read it, and as a script does.
//
// Pure functions but for the local zone.
#pragma once

#include <string>

#include "smsflow/v1/admin.pb.h"
#include "tools/cli/terminal.h"

namespace smsflow::cli {

// A line an entry: local time, the time since the one before, the attempt, the change of state, what happened, who. A
// run of entries that changed nothing is folded into one line, unless `all` are wanted.
std::string JournalForPeople(const smsflow::v1::GetJournalResponse& journal, const Terminal& terminal, bool all);
// A line an entry, tabs between: UTC, attempt, from, to, event, detail, cause, actor.
std::string JournalForScripts(const smsflow::v1::GetJournalResponse& journal);

std::string ExplanationForPeople(const smsflow::v1::ExplainResponse& explanation, const Terminal& terminal);
std::string ExplanationForScripts(const smsflow::v1::ExplainResponse& explanation);

}  // namespace smsflow::cli
