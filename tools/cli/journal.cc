#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/cli/connection.h"
#include "tools/cli/failure.h"
#include "tools/cli/journal_text.h"
#include "tools/cli/json_text.h"
#include "tools/cli/sms_text.h"
#include "tools/cli/time_text.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {

namespace v1 = smsflow::v1;

Outcome RunJournal(Session& session) {
  const auto id = ParseId(session.arguments.subject);
  if (!id.ok()) return id.status();
  v1::GetJournalRequest request;
  request.set_id(*id);
  v1::GetJournalResponse response;
  const absl::Status status = session.connection.Call("journal", [&](grpc::ClientContext& context) {
    return session.connection.admin().GetJournal(&context, request, &response);
  });
  if (!status.ok()) return status;
  const Terminal& terminal = session.terminal;
  if (session.arguments.json)
    terminal.out << ToJson(response) << "\n";
  else
    terminal.out << (session.ForPeople() ? JournalForPeople(response, terminal, session.arguments.all)
                                         : JournalForScripts(response));
  return kExitOk;
}

Outcome RunWhy(Session& session) {
  const auto id = ParseId(session.arguments.subject);
  if (!id.ok()) return id.status();
  v1::ExplainRequest request;
  request.set_id(*id);
  v1::ExplainResponse response;
  const absl::Status status = session.connection.Call("why", [&](grpc::ClientContext& context) {
    return session.connection.admin().Explain(&context, request, &response);
  });
  if (!status.ok()) return status;
  const Terminal& terminal = session.terminal;
  if (session.arguments.json)
    terminal.out << ToJson(response) << "\n";
  else
    terminal.out << (session.ForPeople() ? ExplanationForPeople(response, terminal) : ExplanationForScripts(response));
  return kExitOk;
}

}  // namespace smsflow::cli
