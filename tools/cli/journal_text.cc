#include "tools/cli/journal_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tools/cli/sms_text.h"
#include "tools/cli/states.h"
#include "tools/cli/table.h"
#include "tools/cli/time_text.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

constexpr std::int64_t kWorthSayingMs = 1000;  // a shorter gap is noise

Color ColorOf(const std::string& state) {
  const auto known = ParseState(state);
  return known ? StateColor(*known) : Color::kNone;
}

std::string Change(const v1::JournalEntry& entry) {
  if (entry.from_state() == entry.to_state()) return entry.to_state();
  return absl::StrCat(entry.from_state().empty() ? "new" : entry.from_state(), " -> ", entry.to_state());
}

std::string What(const v1::JournalEntry& entry) {
  if (entry.erased()) return "erased at retention; its digest still stands in the chain";
  const std::string detail = Localised(entry.detail(), entry.at_ms());
  std::string what = entry.event();
  if (detail.starts_with(what + " "))
    what = detail;  // "due" and "due 10:00:00, …": once is enough
  else if (!detail.empty())
    absl::StrAppend(&what, what.empty() ? "" : ": ", detail);
  if (!entry.cause().empty()) absl::StrAppend(&what, " [", entry.cause(), "]");
  return what;
}

bool ChangedNothing(const v1::JournalEntry& entry) {
  return entry.from_state() == entry.to_state() && entry.cause().empty() && !entry.erased();
}

// How many entries from `begin` on become one line: a run that changed nothing, but for its first two and its last.
int FoldFrom(const v1::GetJournalResponse& journal, int begin) {
  constexpr int kWorthFolding = 4;
  if (begin < 2 || !ChangedNothing(journal.entries(begin - 1)) || !ChangedNothing(journal.entries(begin - 2))) return 0;
  int end = begin;
  while (end < journal.entries_size() && ChangedNothing(journal.entries(end)) &&
         journal.entries(end).attempt() == journal.entries(begin).attempt())
    ++end;
  return end - begin > kWorthFolding ? end - begin - 1 : 0;
}

}  // namespace

std::string JournalForPeople(const v1::GetJournalResponse& journal, const Terminal& terminal, bool all) {
  std::string out = Painted(terminal, Color::kBold, IdText(journal.id()));
  absl::StrAppend(&out, "  ", Visible(journal.workflow()), ", tenant ", Visible(journal.tenant()));
  const auto& entries = journal.entries();
  if (entries.empty()) return out + "\nnothing is left of its journal\n";
  const std::string day = LocalDay(entries.begin()->at_ms());
  const bool one_day = LocalDay(entries.rbegin()->at_ms()) == day;
  absl::StrAppend(&out, one_day ? "  " + day : "", "\n\n");
  Table table({one_day ? "TIME" : "DAY AND TIME", "AFTER", "TRY", "STATE", "WHAT HAPPENED", "BY"});
  std::int64_t before_ms = entries.begin()->at_ms();
  for (int i = 0; i < entries.size(); ++i) {
    if (const int folded = all ? 0 : FoldFrom(journal, i); folded > 0) {
      table.Add(
          {"", "", "", "", Cell(absl::StrCat("… ", folded, " more that changed nothing (--all)"), Color::kDim), ""});
      i += folded;
      before_ms = entries[i - 1].at_ms();
    }
    const v1::JournalEntry& entry = entries[i];
    const std::int64_t gap_ms = entry.at_ms() - before_ms;
    before_ms = entry.at_ms();
    const bool dim = ChangedNothing(entry) || entry.erased();
    table.Add({(one_day ? "" : LocalTime(entry.at_ms()).substr(0, 11)) + LocalClock(entry.at_ms()),
               Cell(gap_ms >= kWorthSayingMs ? "+" + Span(gap_ms) : "", Color::kDim),
               entry.attempt() == 0 ? "" : std::to_string(entry.attempt()),
               Cell(Change(entry), dim ? Color::kDim : ColorOf(entry.to_state())),
               Cell(What(entry), dim ? Color::kDim : Color::kNone), Cell(entry.actor(), Color::kDim)});
  }
  return out + table.ForPeople(terminal);
}

std::string JournalForScripts(const v1::GetJournalResponse& journal) {
  Table table({"time", "attempt", "from", "to", "event", "detail", "cause", "actor"});
  for (const v1::JournalEntry& entry : journal.entries())
    table.Add({UtcTime(entry.at_ms()), entry.attempt() == 0 ? "" : std::to_string(entry.attempt()), entry.from_state(),
               entry.to_state(), entry.erased() ? "erased" : entry.event(), InUtc(entry.detail()), entry.cause(),
               entry.actor()});
  return table.ForScripts();
}

std::string ExplanationForPeople(const v1::ExplainResponse& explanation, const Terminal& terminal) {
  const v1::SmsStatus& sms = explanation.status();
  std::string out = absl::StrCat(Painted(terminal, Color::kBold, IdText(sms.id())), "  ",
                                 Painted(terminal, StateColor(sms.state()), StateName(sms.state())), "\n",
                                 Visible(Localised(explanation.summary(), terminal.now_ms())), "\n");
  for (const std::string& reason : explanation.reasons())
    absl::StrAppend(&out, "  - ", Visible(Localised(reason, terminal.now_ms())), "\n");
  if (explanation.next_at_ms() != 0)
    absl::StrAppend(&out, "Next: ", LocalTime(explanation.next_at_ms()), " (",
                    FromNow(explanation.next_at_ms(), terminal.now_ms()), ")\n");
  else
    absl::StrAppend(&out, "Nothing more will happen by itself.\n");
  return out;
}

std::string ExplanationForScripts(const v1::ExplainResponse& explanation) {
  std::string out = absl::StrCat("state\t", std::string(StateName(explanation.status().state())), "\nsummary\t",
                                 Visible(InUtc(explanation.summary())), "\n");
  for (const std::string& reason : explanation.reasons())
    absl::StrAppend(&out, "reason\t", Visible(InUtc(reason)), "\n");
  if (explanation.next_at_ms() != 0) absl::StrAppend(&out, "next\t", UtcTime(explanation.next_at_ms()), "\n");
  return out;
}

}  // namespace smsflow::cli
