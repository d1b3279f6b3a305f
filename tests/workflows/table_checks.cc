#include "tests/workflows/table_checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "workflows/graph.h"

namespace smsflow::workflows {
namespace {

// Replaces what stands between two marks.
void Exchange(std::string& page, std::string_view begin, std::string_view end, const std::string& fresh) {
  std::size_t from = page.find(begin);
  ASSERT_NE(from, page.npos) << "the page lacks " << begin;
  from += begin.size();
  const std::size_t to = page.find(end, from);
  ASSERT_NE(to, page.npos) << "the page lacks " << end << " after " << begin;
  page.replace(from, to - from, fresh);
}

}  // namespace

bool HasRow(const Table& table, std::string_view state, std::string_view signal) {
  return std::any_of(table.begin(), table.end(),
                     [&](const TableRow& row) { return row.source == state && row.event == signal; });
}

void Refused::Add(const std::string& answer, std::string_view signal) {
  auto same = std::find_if(answers_.begin(), answers_.end(), [&](const auto& one) { return one.first == answer; });
  if (same == answers_.end()) same = answers_.insert(answers_.end(), {answer, ""});
  if (!same->second.empty()) same->second += ", ";
  same->second += signal;
}

std::string Refused::Lines(std::string_view state) const {
  std::string text;
  for (const auto& [answer, signals] : answers_)
    text.append("| ").append(state).append(" | ").append(signals).append(" | ").append(answer).append(" |\n");
  return text;
}

void ExpectOnPage(const char* page, const Table& table, const std::string& refused) {
  std::ostringstream read;
  read << std::ifstream(page).rdbuf();
  const std::string before = read.str();
  std::string after = before;
  SCOPED_TRACE(page);
  Exchange(after, "```mermaid\n", "```", Mermaid(table));
  Exchange(after, "|---|---|---|\n", "\n## ", refused);
  if (std::getenv("SMSFLOW_REWRITE") != nullptr)
    std::ofstream(page) << after;
  else
    EXPECT_EQ(before, after);
}

void ExpectOnlySignals(const Table& table, const std::set<std::string_view>& signals) {
  for (const TableRow& row : table) EXPECT_TRUE(signals.contains(row.event)) << row.event;
}

void ExpectGuardsExclude(const Table& table, const std::set<Guards>& exclusive) {
  std::map<std::pair<std::string_view, std::string_view>, std::vector<std::string_view>> rows;
  for (const TableRow& row : table) rows[{row.source, row.event}].push_back(row.guard);
  for (const auto& [pair, guards] : rows) {
    if (guards.size() == 1) continue;
    const Guards set(guards.begin(), guards.end());
    EXPECT_EQ(set.size(), guards.size()) << pair.first << ", " << pair.second << " has a guard twice";
    EXPECT_TRUE(exclusive.contains(set)) << pair.first << ", " << pair.second;
  }
}

}  // namespace smsflow::workflows
