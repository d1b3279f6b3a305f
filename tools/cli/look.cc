#include "absl/strings/str_cat.h"
#include "tools/cli/answer.h"
#include "tools/cli/failure.h"
#include "tools/cli/states.h"
#include "tools/cli/time_text.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

void ShowForPeople(const Terminal& terminal, const v1::SmsStatus& sms) {
  const std::int64_t now_ms = terminal.now_ms();
  const auto line = [&](const char* name, const std::string& text, Color color = Color::kNone) {
    if (text.empty()) return;
    std::string label(name);
    label.resize(10, ' ');
    terminal.out << "  " << Painted(terminal, Color::kDim, label) << Painted(terminal, color, Visible(text)) << "\n";
  };
  const auto time = [&](const char* name, std::int64_t ms) {
    if (ms != 0) line(name, absl::StrCat(LocalTime(ms), "  (", FromNow(ms, now_ms), ")"));
  };
  terminal.out << Painted(terminal, Color::kBold, IdText(sms.id())) << "\n";
  line("state", std::string(StateName(sms.state())), StateColor(sms.state()));
  line("cause", sms.cause(), sms.state() == v1::DELIVERED ? Color::kNone : Color::kRed);
  line("attempts", std::to_string(sms.attempts()));
  time("due", sms.due_ms());
  time("deadline", sms.deadline_ms());
  time("changed", sms.changed_ms());
  time("ended", sms.ended_ms());
  time("created", sms.created_ms());
  line("by", sms.user());
  line("batch", sms.batch());
  line("key", sms.key());
  line("target", sms.target());
  line("slots", Localised(sms.schedule(), now_ms));
}

std::string CsvRow(const v1::SmsStatus& sms) {
  const auto time = [](std::int64_t ms) { return ms == 0 ? std::string() : UtcTime(ms); };
  return CsvLine({IdText(sms.id()), std::string(StateName(sms.state())), std::to_string(sms.attempts()), sms.cause(),
                  sms.batch(), sms.key(), sms.target(), time(sms.created_ms()), time(sms.due_ms()),
                  time(sms.deadline_ms()), time(sms.changed_ms()), time(sms.ended_ms()), sms.user()});
}

}  // namespace

Outcome RunGet(Session& session) {
  const auto request = AboutOneSms<v1::GetRequest>(session);
  if (!request.ok()) return request.status();
  const auto sms = session.connection.Ask("get", &SchedulerStub::Get, *request);
  if (!sms.ok()) return sms.status();
  if (PrintedAsJson(session, *sms)) return kExitOk;
  if (session.ForPeople())
    ShowForPeople(session.terminal, *sms);
  else
    PrintLine(session.terminal, *sms);
  return kExitOk;
}

Outcome RunList(Session& session) {
  const Arguments& arguments = session.arguments;
  const Terminal& terminal = session.terminal;
  if (arguments.csv && arguments.json) return absl::InvalidArgumentError("--csv, --json: give one of them");
  const auto filter = MakeFilter(arguments.filter, terminal.now_ms());
  if (!filter.ok()) return filter.status();
  v1::ListRequest request;
  *request.mutable_filter() = *filter;
  if (arguments.csv)
    terminal.out << CsvLine({"id", "state", "attempts", "cause", "batch", "key", "target", "created", "due", "deadline",
                             "changed", "ended", "user"});
  v1::ListResponse whole;
  Table table(StatusTitles());
  const auto last = EachPage(session, "list", &SchedulerStub::List, request, [&](const v1::ListResponse& page) {
    if (arguments.json) whole.mutable_items()->MergeFrom(page.items());
    for (const v1::SmsStatus& sms : page.items()) {
      if (arguments.csv)
        terminal.out << CsvRow(sms);
      else if (session.ForPeople())
        table.Add(StatusCellsForPeople(sms, terminal.now_ms()));
      else if (!arguments.json)
        PrintLine(terminal, sms);
    }
    return page.items_size();
  });
  if (!last.ok()) return last.status();
  whole.set_next_page_token(last->next_page_token());
  whole.set_watch_token(last->watch_token());
  if (!PrintedAsJson(session, whole) && session.ForPeople() && !arguments.csv)
    PrintRows(terminal, table, last->next_page_token());
  return kExitOk;
}

Outcome RunSummary(Session& session) {
  v1::BatchSummaryRequest request;
  request.set_batch(session.arguments.subject);
  const auto response = session.connection.Ask("summary", &SchedulerStub::BatchSummary, request);
  if (!response.ok()) return response.status();
  if (PrintedAsJson(session, *response)) return kExitOk;
  Table table({"STATE", "COUNT"});
  for (const auto& count : response->counts())
    if (count.count() > 0) table.Add({StateCell(count.state()), std::to_string(count.count())});
  table.Add({"total", Cell(std::to_string(response->total()), Color::kBold)});
  session.terminal.out << (session.ForPeople() ? table.ForPeople(session.terminal) : table.ForScripts());
  return kExitOk;
}

}  // namespace smsflow::cli
