#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/cli/connection.h"
#include "tools/cli/failure.h"
#include "tools/cli/json_text.h"
#include "tools/cli/sms_text.h"
#include "tools/cli/time_text.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

constexpr std::uint32_t kPageMost = 1000;

absl::StatusOr<v1::CancelRequest> What(const Arguments& arguments) {
  const int named = !arguments.subject.empty() + !arguments.key.empty() + !arguments.batch.empty() +
                    !arguments.target.empty() + arguments.all;
  if (named != 1) return absl::InvalidArgumentError("cancel: say what, one of: ID, --key, --batch, --target, --all");
  v1::CancelRequest request;
  if (!arguments.subject.empty()) {
    const auto id = ParseId(arguments.subject);
    if (!id.ok()) return id.status();
    request.set_id(*id);
  }
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

}  // namespace

Outcome RunCancel(Session& session) {
  const auto request = What(session.arguments);
  if (!request.ok()) return request.status();
  if (absl::Status confirmed = Confirm(session); !confirmed.ok()) return confirmed;
  v1::CancelResponse response;
  const absl::Status status = session.connection.Call("cancel", [&](grpc::ClientContext& context) {
    return session.connection.scheduler().Cancel(&context, *request, &response);
  });
  if (!status.ok()) return status;
  const Terminal& terminal = session.terminal;
  const bool one = !session.arguments.subject.empty();
  if (session.arguments.json)
    terminal.out << ToJson(response) << "\n";
  else if (one)
    terminal.out << (session.ForPeople() ? OutcomeForPeople(response.outcome()) : OutcomeText(response.outcome()))
                 << "\n";
  else if (session.ForPeople())
    terminal.out << response.canceled() << " canceled, " << response.too_late()
                 << " too late (an attempt has left; no further one will), " << response.already_ended()
                 << " had ended before\n";
  else
    terminal.out << "canceled\t" << response.canceled() << "\ntoo_late\t" << response.too_late() << "\nalready_ended\t"
                 << response.already_ended() << "\n";
  return one && response.outcome() != v1::CANCEL_CANCELED ? kExitRefused : kExitOk;
}

Outcome RunBlock(Session& session) {
  v1::BlockRequest request;
  request.set_target(session.arguments.subject);
  v1::BlockResponse response;
  const absl::Status status = session.connection.Call("block", [&](grpc::ClientContext& context) {
    return session.connection.scheduler().Block(&context, request, &response);
  });
  if (!status.ok()) return status;
  const Terminal& terminal = session.terminal;
  if (session.arguments.json)
    terminal.out << ToJson(response) << "\n";
  else if (session.ForPeople())
    terminal.out << "blocked; " << response.blocked() << " pending ended as BLOCKED, " << response.too_late()
                 << " too late (an attempt has left; no further one will)\n";
  else
    terminal.out << "blocked\t" << response.blocked() << "\ntoo_late\t" << response.too_late() << "\n";
  return kExitOk;
}

Outcome RunUnblock(Session& session) {
  v1::UnblockRequest request;
  request.set_target(session.arguments.subject);
  v1::UnblockResponse response;
  const absl::Status status = session.connection.Call("unblock", [&](grpc::ClientContext& context) {
    return session.connection.scheduler().Unblock(&context, request, &response);
  });
  if (!status.ok()) return status;
  if (session.arguments.json)
    session.terminal.out << ToJson(response) << "\n";
  else
    session.terminal.out << (response.was_blocked() ? "unblocked" : "was not blocked") << "\n";
  return kExitOk;
}

Outcome RunBlocked(Session& session) {
  const Terminal& terminal = session.terminal;
  v1::ListBlockedRequest request;
  request.set_page_token(session.arguments.page);
  v1::ListBlockedResponse whole;
  for (std::uint64_t left = session.arguments.all ? UINT64_MAX : session.arguments.limit; left > 0;) {
    request.set_page_size(static_cast<std::uint32_t>(std::min<std::uint64_t>(left, kPageMost)));
    v1::ListBlockedResponse page;
    const absl::Status status = session.connection.Call("blocked", [&](grpc::ClientContext& context) {
      return session.connection.scheduler().ListBlocked(&context, request, &page);
    });
    if (!status.ok()) return status;
    whole.mutable_entries()->MergeFrom(page.entries());
    whole.set_next_page_token(page.next_page_token());
    left -= std::min<std::uint64_t>(left, static_cast<std::uint64_t>(page.entries_size()));
    if (page.next_page_token().empty()) break;
    request.set_page_token(page.next_page_token());
  }
  if (session.arguments.json) {
    terminal.out << ToJson(whole) << "\n";
    return kExitOk;
  }
  Table table({"TARGET", "SINCE"});
  for (const auto& entry : whole.entries())
    table.Add({entry.target(), session.ForPeople() ? LocalTime(entry.since_ms()) : UtcTime(entry.since_ms())});
  if (!session.ForPeople())
    terminal.out << table.ForScripts();
  else if (table.empty())
    terminal.out << "none\n";
  else
    terminal.out << table.ForPeople(terminal);
  if (session.ForPeople() && !whole.next_page_token().empty())
    terminal.out << Painted(terminal, Color::kDim, "more: add --all, or --page " + whole.next_page_token()) << "\n";
  return kExitOk;
}

}  // namespace smsflow::cli
