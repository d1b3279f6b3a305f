#include <string>

#include "absl/strings/str_cat.h"
#include "tools/cli/answer.h"
#include "tools/cli/failure.h"
#include "tools/cli/json_text.h"
#include "tools/cli/progress.h"
#include "tools/cli/sms_text.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

// Reads a stream of partial results until it says that it is done; `use` sees each. Long work has no deadline: it shows
// its progress, and Ctrl-C ends it.
template <typename Response, typename Start, typename Use>
absl::StatusOr<Response> ReadToTheEnd(Session& session, const char* doing, Start start, Use use) {
  grpc::ClientContext context;
  session.connection.Prepare(context, /*with_deadline=*/false);
  const auto reader = start(context);
  Progress progress(session.terminal, doing, 0);
  Response response, last;
  while (reader->Read(&response)) {
    use(response);
    progress.Show(response.records());
    last = response;
    if (session.terminal.interrupted()) context.TryCancel();
  }
  progress.Clear();
  const grpc::Status status = reader->Finish();
  if (session.terminal.interrupted()) return absl::AbortedError(absl::StrCat(doing, ": interrupted before the end"));
  if (absl::Status explained = session.connection.Explain(doing, context, status); !explained.ok()) return explained;
  if (!last.done())
    return absl::UnavailableError(absl::StrCat(doing, ": the server stopped before the end; nothing is proven"));
  return last;
}

void ShowFindings(const Session& session, const google::protobuf::RepeatedPtrField<std::string>& findings) {
  for (const std::string& finding : findings) session.terminal.out << Visible(finding) << "\n";
}

}  // namespace

Outcome RunReplay(Session& session) {
  const Arguments& arguments = session.arguments;
  if (arguments.subject.empty() && !arguments.all)
    return absl::InvalidArgumentError("replay: say which: an ID, or --all");
  v1::ReplayRequest request;
  if (!arguments.all) {
    const auto id = ParseId(arguments.subject);
    if (!id.ok()) return id.status();
    request.set_id(*id);
  }
  const auto last = ReadToTheEnd<v1::ReplayResponse>(
      session, "replay",
      [&](grpc::ClientContext& context) { return session.connection.admin().Replay(&context, request); },
      [&](const v1::ReplayResponse& response) {
        if (!PrintedAsJson(session, response)) ShowFindings(session, response.findings());
      });
  if (!last.ok()) return last.status();
  if (!arguments.json) {
    session.terminal.out << last->records() << " records decided anew, " << last->differences() << " differences";
    if (last->other_version() > 0)
      session.terminal.out << ", " << last->other_version() << " decided otherwise by another version";
    session.terminal.out << "\n";
  }
  return last->differences() == 0 ? kExitOk : kExitNegative;
}

Outcome RunVerify(Session& session) {
  const v1::VerifyRequest request;
  const auto last = ReadToTheEnd<v1::VerifyResponse>(
      session, "verify",
      [&](grpc::ClientContext& context) { return session.connection.admin().Verify(&context, request); },
      [&](const v1::VerifyResponse& response) {
        if (!PrintedAsJson(session, response)) ShowFindings(session, response.findings());
      });
  if (!last.ok()) return last.status();
  if (!session.arguments.json)
    session.terminal.out << last->records() << " records and " << last->instances() << " SMSes checked, "
                         << last->violations() << " violations\n";
  return last->violations() == 0 ? kExitOk : kExitNegative;
}

Outcome RunStats(Session& session) {
  const auto response = session.connection.Ask("stats", &AdminStub::Stats, v1::StatsRequest());
  if (!response.ok()) return response.status();
  if (PrintedAsJson(session, *response)) return kExitOk;
  Table table({"FIGURE", "VALUE", "MEANING"});
  for (const auto& item : response->items())
    table.Add({item.name(), NumberText(item.value()), Cell(item.help(), Color::kDim)});
  session.terminal.out << (session.ForPeople() ? table.ForPeople(session.terminal) : table.ForScripts());
  return kExitOk;
}

}  // namespace smsflow::cli
