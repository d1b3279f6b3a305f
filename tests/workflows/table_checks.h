// What every table of transitions is held to, whichever workflow's it is: its page shows it, its guards exclude each
// other, and the samples of its test leave out no signal.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workflows/workflow.h"

namespace smsflow::workflows {

using Table = std::vector<TableRow>;

bool HasRow(const Table& table, std::string_view state, std::string_view signal);

// The lines of a page that say what one state answers to the events for which it has no row; equal answers share one.
class Refused {
 public:
  void Add(const std::string& answer, std::string_view signal);
  std::string Lines(std::string_view state) const;

 private:
  std::vector<std::pair<std::string, std::string>> answers_;  // and the events, in the order in which they came
};

// That `page` shows the diagram of `table`, and `refused` as its table of three columns. With SMSFLOW_REWRITE=1 in the
// environment both are written anew.
void ExpectOnPage(const char* page, const Table& table, const std::string& refused);

void ExpectOnlySignals(const Table& table, const std::set<std::string_view>& signals);

// MSM tries the rows of one state and event from the last to the first. That must not matter: where there are several,
// their guards are one of these sets, of which at most one guard holds whatever the case.
using Guards = std::set<std::string_view>;
void ExpectGuardsExclude(const Table& table, const std::set<Guards>& exclusive);

}  // namespace smsflow::workflows
