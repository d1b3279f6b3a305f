#include "tools/cli/answer.h"

#include "tools/cli/json_text.h"

namespace smsflow::cli {

bool PrintedAsJson(const Session& session, const google::protobuf::Message& answer) {
  if (session.arguments.json) session.terminal.out << ToJson(answer) << "\n";
  return session.arguments.json;
}

void PrintLine(const Terminal& terminal, const smsflow::v1::SmsStatus& sms) {
  Table line(StatusTitles());
  line.Add(StatusCellsForScripts(sms));
  terminal.out << line.ForScripts();
}

void PrintRows(const Terminal& terminal, const Table& table, const std::string& next_page_token) {
  terminal.out << (table.empty() ? "none\n" : table.ForPeople(terminal));
  if (!next_page_token.empty())
    terminal.out << Painted(terminal, Color::kDim, "more: add --all, or --page " + next_page_token) << "\n";
}

}  // namespace smsflow::cli
