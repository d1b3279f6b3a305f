#include <string>

#include "absl/strings/str_cat.h"
#include "tools/cli/answer.h"
#include "tools/cli/failure.h"
#include "tools/cli/time_text.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

absl::StatusOr<v1::CancelRequest> What(const Session& session) {
  const Arguments& arguments = session.arguments;
  const int named = !arguments.subject.empty() + !arguments.key.empty() + !arguments.batch.empty() +
                    !arguments.target.empty() + arguments.all;
  if (named != 1) return absl::InvalidArgumentError("cancel: say what, one of: ID, --key, --batch, --target, --all");
  if (!arguments.subject.empty()) return AboutOneSms<v1::CancelRequest>(session);
  v1::CancelRequest request;
  if (!arguments.key.empty()) request.set_key(arguments.key);
  if (!arguments.batch.empty()) request.set_batch(arguments.batch);
  if (!arguments.target.empty()) request.set_target(arguments.target);
  if (arguments.all) request.set_all(true);
  return request;
}

absl::Status Confirm(const Session& session) {
  if (!session.arguments.all || session.arguments.yes) return absl::OkStatus();
  const Terminal& terminal = session.terminal;
  if (!terminal.in_is_terminal || !terminal.err_is_terminal)
    return absl::FailedPreconditionError(
        "cancel --all ends every SMS of the tenant that has not left; add --yes if you mean it");
  terminal.err << "This ends every SMS of the tenant that has not left. Type yes to go on: " << std::flush;
  std::string answer;
  std::getline(terminal.in, answer);
  if (answer == "yes") return absl::OkStatus();
  return absl::AbortedError("cancel: nothing was done");
}

std::string OutcomeText(v1::CancelOutcome outcome) {
  switch (outcome) {
    case v1::CANCEL_CANCELED:
      return "CANCELED";
    case v1::CANCEL_TOO_LATE:
      return "TOO_LATE";
    case v1::CANCEL_ALREADY_ENDED:
      return "ALREADY_ENDED";
    default:
      return "?";
  }
}

std::string OutcomeForPeople(v1::CancelOutcome outcome) {
  switch (outcome) {
    case v1::CANCEL_CANCELED:
      return "canceled";
    case v1::CANCEL_TOO_LATE:
      return "too late: an attempt has left; no further one will";
    case v1::CANCEL_ALREADY_ENDED:
      return "it had ended before";
    default:
      return "the server's answer is not known to this program";
  }
}

// What became of the SMSes for the target that had not ended.
std::string BlockedForPeople(const v1::BlockResponse& response) {
  std::string text;
  if (response.blocked() > 0) absl::StrAppend(&text, response.blocked(), " pending ended as BLOCKED");
  if (response.too_late() > 0)
    absl::StrAppend(&text, text.empty() ? "" : ", ", response.too_late(),
                    " too late (an attempt has left; no further one will)");
  return text.empty() ? "nothing was waiting" : text;
}

}  // namespace

Outcome RunCancel(Session& session) {
  const auto request = What(session);
  if (!request.ok()) return request.status();
  if (absl::Status confirmed = Confirm(session); !confirmed.ok()) return confirmed;
  const auto response = session.connection.Ask("cancel", &SchedulerStub::Cancel, *request);
  if (!response.ok()) return response.status();
  const bool one = !session.arguments.subject.empty();
  const int exit_code = one && response->outcome() != v1::CANCEL_CANCELED ? kExitRefused : kExitOk;
  if (PrintedAsJson(session, *response)) return exit_code;
  std::ostream& out = session.terminal.out;
  if (one)
    out << (session.ForPeople() ? OutcomeForPeople(response->outcome()) : OutcomeText(response->outcome())) << "\n";
  else if (session.ForPeople())
    out << response->canceled() << " canceled, " << response->too_late()
        << " too late (an attempt has left; no further one will), " << response->already_ended()
        << " had ended before\n";
  else
    out << "canceled\t" << response->canceled() << "\ntoo_late\t" << response->too_late() << "\nalready_ended\t"
        << response->already_ended() << "\n";
  return exit_code;
}

Outcome RunBlock(Session& session) {
  v1::BlockRequest request;
  request.set_target(session.arguments.subject);
  const auto response = session.connection.Ask("block", &SchedulerStub::Block, request);
  if (!response.ok()) return response.status();
  if (PrintedAsJson(session, *response)) return kExitOk;
  const Terminal& terminal = session.terminal;
  if (!session.ForPeople())
    terminal.out << "target\tblocked\nended\t" << response->blocked() << "\ntoo_late\t" << response->too_late() << "\n";
  else
    terminal.out << "blocked; " << BlockedForPeople(*response) << "\n";
  return kExitOk;
}

Outcome RunUnblock(Session& session) {
  v1::UnblockRequest request;
  request.set_target(session.arguments.subject);
  const auto response = session.connection.Ask("unblock", &SchedulerStub::Unblock, request);
  if (!response.ok()) return response.status();
  if (!PrintedAsJson(session, *response))
    session.terminal.out << (response->was_blocked() ? "unblocked" : "was not blocked") << "\n";
  return kExitOk;
}

Outcome RunBlocked(Session& session) {
  v1::ListBlockedResponse whole;
  const auto last = EachPage(session, "blocked", &SchedulerStub::ListBlocked, v1::ListBlockedRequest(),
                             [&](const v1::ListBlockedResponse& page) {
                               whole.mutable_entries()->MergeFrom(page.entries());
                               return page.entries_size();
                             });
  if (!last.ok()) return last.status();
  whole.set_next_page_token(last->next_page_token());
  if (PrintedAsJson(session, whole)) return kExitOk;
  Table table({"TARGET", "SINCE"});
  for (const auto& entry : whole.entries())
    table.Add({entry.target(), session.ForPeople() ? LocalTime(entry.since_ms()) : UtcTime(entry.since_ms())});
  if (session.ForPeople())
    PrintRows(session.terminal, table, whole.next_page_token());
  else
    session.terminal.out << table.ForScripts();
  return kExitOk;
}

}  // namespace smsflow::cli
