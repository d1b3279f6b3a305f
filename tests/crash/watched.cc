#include "tests/crash/watched.h"

#include <algorithm>

namespace smsflow::crash {
namespace {

std::string Words(std::int64_t at_ms, const std::string& from, const std::string& to, const std::string& event,
                  std::uint32_t attempt) {
  return std::to_string(at_ms) + " " + (from.empty() ? "new" : from) + " -> " + to + " " + event + " (" +
         std::to_string(attempt) + ")";
}

}  // namespace

std::string WordsOf(const v1::Transition& transition) {
  const std::string from = transition.from() == v1::SMS_STATE_UNSPECIFIED ? "" : v1::SmsState_Name(transition.from());
  return Words(transition.at_ms(), from, v1::SmsState_Name(transition.to()), transition.event(), transition.attempt());
}

std::string WordsOf(const v1::JournalEntry& entry) {
  return Words(entry.at_ms(), entry.from_state(), entry.to_state(), entry.event(), entry.attempt());
}

void CheckSeen(const std::string& id, const std::string& who, const std::vector<Seen>& seen,
               const v1::GetJournalResponse& journal, std::size_t least, Findings& findings) {
  std::vector<std::string> all;
  for (const v1::JournalEntry& entry : journal.entries()) all.push_back(WordsOf(entry));
  std::size_t next = 0, most = 0;
  int stretch = 0;
  for (const Seen& one : seen) {
    if (next == all.size() || all[next] != one.words) {
      // After a cut it may begin again somewhere before.
      const auto before = std::find(all.rend() - static_cast<std::ptrdiff_t>(next), all.rend(), one.words);
      if (before == all.rend() || one.stretch == stretch) {
        const std::string due = next == all.size() ? "the journal's end" : "'" + all[next] + "'";
        return findings.Add(IdText(id) + ": " + who + " showed '" + one.words + "' in place of " + due, id);
      }
      next = static_cast<std::size_t>(all.rend() - before) - 1;
    }
    stretch = one.stretch;
    most = std::max(most, ++next);
  }
  if (most < std::min(least, all.size()))
    findings.Add(IdText(id) + ": " + who + " never showed '" + all[most] + "'", id);
}

}  // namespace smsflow::crash
