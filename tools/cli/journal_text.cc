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
  std::string what = entry.event();
  if (!entry.detail().empty()) absl::StrAppend(&what, what.empty() ? "" : ": ", entry.detail());
  if (!entry.cause().empty()) absl::StrAppend(&what, " [", entry.cause(), "]");
  return what;
}

}  // namespace

std::string JournalForPeople(const v1::GetJournalResponse& journal, const Terminal& terminal) {
  std::string out = Painted(terminal, Color::kBold, IdText(journal.id()));
  absl::StrAppend(&out, "  ", Visible(journal.workflow()), ", tenant ", Visible(journal.tenant()));
  const auto& entries = journal.entries();
  if (entries.empty()) return out + "\nnothing is left of its journal\n";
  const std::string day = LocalDay(entries.begin()->at_ms());
  const bool one_day = LocalDay(entries.rbegin()->at_ms()) == day;
  absl::StrAppend(&out, one_day ? "  " + day : "", "\n\n");
  Table table({one_day ? "TIME" : "DAY AND TIME", "AFTER", "TRY", "STATE", "WHAT HAPPENED", "BY"});
  std::int64_t before_ms = entries.begin()->at_ms();
  for (const v1::JournalEntry& entry : entries) {
    const std::int64_t gap_ms = entry.at_ms() - before_ms;
    before_ms = entry.at_ms();
    const std::string day_text = one_day ? "" : LocalTime(entry.at_ms()).substr(0, 11);
    table.Add(
        {day_text + LocalClock(entry.at_ms()), Cell(gap_ms >= kWorthSayingMs ? "+" + Span(gap_ms) : "", Color::kDim),
         entry.attempt() == 0 ? "" : std::to_string(entry.attempt()), Cell(Change(entry), ColorOf(entry.to_state())),
         Cell(What(entry), entry.erased() ? Color::kDim : Color::kNone), Cell(entry.actor(), Color::kDim)});
  }
  return out + table.ForPeople(terminal);
}

std::string JournalForScripts(const v1::GetJournalResponse& journal) {
  Table table({"time", "attempt", "from", "to", "event", "detail", "cause", "actor"});
  for (const v1::JournalEntry& entry : journal.entries())
    table.Add({UtcTime(entry.at_ms()), entry.attempt() == 0 ? "" : std::to_string(entry.attempt()), entry.from_state(),
               entry.to_state(), entry.erased() ? "erased" : entry.event(), entry.detail(), entry.cause(),
               entry.actor()});
  return table.ForScripts();
}

std::string ExplanationForPeople(const v1::ExplainResponse& explanation, const Terminal& terminal) {
  const v1::SmsStatus& sms = explanation.status();
  std::string out = absl::StrCat(Painted(terminal, Color::kBold, IdText(sms.id())), "  ",
                                 Painted(terminal, StateColor(sms.state()), StateName(sms.state())), "\n",
                                 Visible(explanation.summary()), "\n");
  for (const std::string& reason : explanation.reasons()) absl::StrAppend(&out, "  - ", Visible(reason), "\n");
  if (explanation.next_at_ms() != 0)
    absl::StrAppend(&out, "Next: ", LocalTime(explanation.next_at_ms()), " (",
                    FromNow(explanation.next_at_ms(), terminal.now_ms()), ")\n");
  else
    absl::StrAppend(&out, "Nothing more will happen by itself.\n");
  return out;
}

std::string ExplanationForScripts(const v1::ExplainResponse& explanation) {
  std::string out = absl::StrCat("state\t", std::string(StateName(explanation.status().state())), "\nsummary\t",
                                 Visible(explanation.summary()), "\n");
  for (const std::string& reason : explanation.reasons()) absl::StrAppend(&out, "reason\t", Visible(reason), "\n");
  return absl::StrCat(out, "next\t", UtcTime(explanation.next_at_ms()), "\n");
}

}  // namespace smsflow::cli
