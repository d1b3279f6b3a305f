#include "tools/cli/live_table.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/cli/sms_text.h"
#include "tools/cli/states.h"
#include "tools/cli/table.h"
#include "tools/cli/time_text.h"

namespace smsflow::cli {
namespace {

std::string FirstNotEmpty(const std::string& a, const std::string& b) { return a.empty() ? b : a; }

}  // namespace

void LiveTable::Take(const smsflow::v1::SmsStatus& sms) {
  Put(sms.id(), {sms.state(), sms.attempts(), sms.cause(), FirstNotEmpty(sms.key(), sms.target()), sms.due_ms(),
                 sms.changed_ms()});
}

void LiveTable::Take(const smsflow::v1::Transition& transition) {
  Row row;
  if (const auto known = rows_.find(transition.id()); known != rows_.end()) row = known->second;
  row.state = transition.to();
  row.attempt = std::max(row.attempt, transition.attempt());
  row.changed_ms = transition.at_ms();
  row.due_ms = transition.due_ms();
  // While it lives, the last failure is of interest; its end has the last word, also when that is none.
  const bool ends = transition.from() != transition.to() && HasEnded(transition.to());
  if (ends || !transition.cause().empty()) row.cause = transition.cause();
  if (row.name.empty()) row.name = FirstNotEmpty(transition.key(), transition.target());
  Put(transition.id(), std::move(row));
}

void LiveTable::Put(const std::string& id, Row row) {
  const auto [place, is_new] = rows_.try_emplace(id);
  if (!is_new) {
    --counts_[place->second.state];
    ended_ -= HasEnded(place->second.state);
  }
  ++counts_[row.state];
  ended_ += HasEnded(row.state);
  place->second = std::move(row);
}

std::string LiveTable::Draw(const Terminal& terminal) const {
  const std::int64_t now_ms = terminal.now_ms();
  std::string out = Painted(terminal, Color::kBold, absl::StrCat(ended_, " of ", rows_.size(), " ended"));
  for (const auto& [state, count] : counts_)
    if (count > 0) absl::StrAppend(&out, "   ", Painted(terminal, StateColor(state), StateName(state)), " ", count);
  out += "\n\n";
  const auto room = static_cast<std::size_t>(std::max(3, terminal.height - 5));
  std::vector<std::pair<const std::string*, const Row*>> shown;
  for (const auto& [id, row] : rows_) shown.emplace_back(&id, &row);
  const std::size_t hidden = shown.size() > room ? shown.size() - room : 0;
  if (hidden > 0) {
    std::partial_sort(shown.begin(), shown.begin() + static_cast<std::ptrdiff_t>(room), shown.end(),
                      [](const auto& a, const auto& b) { return a.second->changed_ms > b.second->changed_ms; });
    shown.resize(room);
    std::sort(shown.begin(), shown.end(), [](const auto& a, const auto& b) { return *a.first < *b.first; });
  }
  Table table({"ID", "STATE", "TRY", "CHANGED", "DUE", "NAME", "CAUSE"});
  for (const auto& [id, row] : shown) {
    const bool waits = row->state == smsflow::v1::PENDING && row->due_ms != 0;
    table.Add({IdText(*id), StateCell(row->state), row->attempt == 0 ? "" : std::to_string(row->attempt),
               LocalClock(row->changed_ms), waits ? FromNow(row->due_ms, now_ms) : "", row->name,
               Cell(row->cause, Color::kRed)});
  }
  out += table.ForPeople(terminal);
  if (hidden > 0) absl::StrAppend(&out, Painted(terminal, Color::kDim, absl::StrCat("and ", hidden, " more")), "\n");
  return out;
}

}  // namespace smsflow::cli
