#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tools/cli/connection.h"
#include "tools/cli/failure.h"
#include "tools/cli/json_text.h"
#include "tools/cli/sms_text.h"
#include "tools/cli/states.h"
#include "tools/cli/time_text.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

constexpr std::uint32_t kPageMost = 1000;

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
  line("cause", sms.cause(), Color::kRed);
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

// Asks page by page until `limit` rows, or all; each page goes to `use` as it comes. What comes back holds the tokens.
template <typename Use>
absl::StatusOr<v1::ListResponse> EachPage(Session& session, Use use) {
  const Arguments& arguments = session.arguments;
  const auto filter = MakeFilter(arguments.filter, session.terminal.now_ms());
  if (!filter.ok()) return filter.status();
  v1::ListRequest request;
  *request.mutable_filter() = *filter;
  request.set_page_token(arguments.page);
  v1::ListResponse page;
  for (std::uint64_t left = arguments.all ? UINT64_MAX : arguments.limit;;) {
    request.set_page_size(static_cast<std::uint32_t>(std::min<std::uint64_t>(left, kPageMost)));
    page.Clear();
    const absl::Status status = session.connection.Call("list", [&](grpc::ClientContext& context) {
      return session.connection.scheduler().List(&context, request, &page);
    });
    if (!status.ok()) return status;
    use(page);
    left -= std::min<std::uint64_t>(left, static_cast<std::uint64_t>(page.items_size()));
    if (left == 0 || page.next_page_token().empty()) return page;
    request.set_page_token(page.next_page_token());
    if (session.terminal.interrupted()) return absl::AbortedError("list: interrupted");
  }
}

}  // namespace

Outcome RunGet(Session& session) {
  const auto id = ParseId(session.arguments.subject);
  if (!id.ok()) return id.status();
  v1::GetRequest request;
  request.set_id(*id);
  v1::SmsStatus sms;
  const absl::Status status = session.connection.Call(
      "get", [&](grpc::ClientContext& context) { return session.connection.scheduler().Get(&context, request, &sms); });
  if (!status.ok()) return status;
  if (session.arguments.json) {
    session.terminal.out << ToJson(sms) << "\n";
  } else if (session.ForPeople()) {
    ShowForPeople(session.terminal, sms);
  } else {
    Table table(StatusTitles());
    table.Add(StatusCellsForScripts(sms));
    session.terminal.out << table.ForScripts();
  }
  return kExitOk;
}

Outcome RunList(Session& session) {
  const Arguments& arguments = session.arguments;
  const Terminal& terminal = session.terminal;
  if (arguments.csv && arguments.json) return absl::InvalidArgumentError("--csv, --json: give one of them");
  v1::ListResponse whole;
  Table table(StatusTitles());
  if (arguments.csv)
    terminal.out << CsvLine({"id", "state", "attempts", "cause", "batch", "key", "target", "created", "due", "deadline",
                             "changed", "ended", "user"});
  std::size_t count = 0;
  const auto last = EachPage(session, [&](const v1::ListResponse& page) {
    count += static_cast<std::size_t>(page.items_size());
    if (arguments.json) whole.mutable_items()->MergeFrom(page.items());
    for (const v1::SmsStatus& sms : page.items()) {
      if (arguments.csv) {
        terminal.out << CsvRow(sms);
      } else if (session.ForPeople()) {
        table.Add(StatusCellsForPeople(sms, terminal.now_ms()));
      } else if (!arguments.json) {
        Table line(StatusTitles());
        line.Add(StatusCellsForScripts(sms));
        terminal.out << line.ForScripts();
      }
    }
  });
  if (!last.ok()) return last.status();
  if (arguments.json) {
    whole.set_next_page_token(last->next_page_token());
    whole.set_watch_token(last->watch_token());
    terminal.out << ToJson(whole) << "\n";
  } else if (session.ForPeople() && !arguments.csv) {
    if (count == 0)
      terminal.out << "none\n";
    else
      terminal.out << table.ForPeople(terminal);
    if (!last->next_page_token().empty())
      terminal.out << Painted(terminal, Color::kDim, "more: add --all, or --page " + last->next_page_token()) << "\n";
  }
  return kExitOk;
}

Outcome RunSummary(Session& session) {
  v1::BatchSummaryRequest request;
  request.set_batch(session.arguments.subject);
  v1::BatchSummaryResponse response;
  const absl::Status status = session.connection.Call("summary", [&](grpc::ClientContext& context) {
    return session.connection.scheduler().BatchSummary(&context, request, &response);
  });
  if (!status.ok()) return status;
  const Terminal& terminal = session.terminal;
  if (session.arguments.json) {
    terminal.out << ToJson(response) << "\n";
    return kExitOk;
  }
  Table table({"STATE", "COUNT"});
  for (const auto& count : response.counts())
    if (count.count() > 0) table.Add({StateCell(count.state()), std::to_string(count.count())});
  table.Add({"total", Cell(std::to_string(response.total()), Color::kBold)});
  terminal.out << (session.ForPeople() ? table.ForPeople(terminal) : table.ForScripts());
  return kExitOk;
}

}  // namespace smsflow::cli
