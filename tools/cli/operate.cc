#include <string>

#include "absl/strings/str_cat.h"
#include "tools/cli/answer.h"
#include "tools/cli/failure.h"
#include "tools/cli/states.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

absl::StatusOr<v1::PauseRequest> Scope(const Arguments& arguments, const char* verb) {
  const int named =
      arguments.all + !arguments.gateway.empty() + (!arguments.batch.empty() || !arguments.of_tenant.empty());
  if (named != 1)
    return absl::InvalidArgumentError(
        absl::StrCat(verb, ": say what, one of: --all, --tenant T, --tenant T --batch B, --gateway G"));
  if (!arguments.batch.empty() && arguments.of_tenant.empty())
    return absl::InvalidArgumentError(absl::StrCat(verb, ": --batch needs --tenant: batches belong to tenants"));
  v1::PauseRequest request;
  request.set_reason(arguments.reason);
  if (arguments.all) {
    request.set_all(true);
  } else if (!arguments.gateway.empty()) {
    request.set_gateway(arguments.gateway);
  } else if (!arguments.batch.empty()) {
    request.mutable_batch()->set_tenant(arguments.of_tenant);
    request.mutable_batch()->set_batch(arguments.batch);
  } else {
    request.set_tenant(arguments.of_tenant);
  }
  return request;
}

// Pausing and resuming: the same request and answer, other words.
Outcome SetPause(Session& session, const char* verb, UnaryCall<AdminStub, v1::PauseRequest, v1::PauseResponse> call,
                 const char* changed, const char* unchanged) {
  const auto request = Scope(session.arguments, verb);
  if (!request.ok()) return request.status();
  const auto response = session.connection.Ask(verb, call, *request);
  if (!response.ok()) return response.status();
  if (!PrintedAsJson(session, *response)) session.terminal.out << (response->changed() ? changed : unchanged) << "\n";
  return kExitOk;
}

}  // namespace

Outcome RunResolve(Session& session) {
  auto request = AboutOneSms<v1::ResolveRequest>(session);
  if (!request.ok()) return request.status();
  const std::string& how = session.arguments.resolution;
  request->set_how(how == "delivered" ? v1::ResolveRequest::HOW_DELIVERED
                   : how == "retry"   ? v1::ResolveRequest::HOW_RETRY
                                      : v1::ResolveRequest::HOW_GIVE_UP);
  const auto sms = session.connection.Ask("resolve", &AdminStub::Resolve, *request);
  if (!sms.ok()) return sms.status();
  const Terminal& terminal = session.terminal;
  if (!PrintedAsJson(session, *sms))
    terminal.out << IdText(sms->id()) << (session.ForPeople() ? "  " : "\t")
                 << Painted(terminal, session.ForPeople() ? StateColor(sms->state()) : Color::kNone,
                            StateName(sms->state()))
                 << "\n";
  return kExitOk;
}

Outcome RunPause(Session& session) {
  return SetPause(session, "pause", &AdminStub::Pause, "paused", "was paused already");
}

Outcome RunResume(Session& session) {
  return SetPause(session, "resume", &AdminStub::Resume, "resumed", "was not paused");
}

Outcome RunDrain(Session& session) {
  v1::DrainRequest request;
  // The server answers a little before the call would end, so that its count still arrives.
  const auto timeout_ms = std::chrono::milliseconds(session.connection.timeout()).count();
  request.set_timeout_ms(static_cast<std::uint32_t>(timeout_ms - timeout_ms / 10));
  const auto response = session.connection.Ask("drain", &AdminStub::Drain, request);
  if (!response.ok()) return response.status();
  const std::uint64_t in_flight = response->in_flight();
  const int exit_code = in_flight == 0 ? kExitOk : kExitNegative;
  if (PrintedAsJson(session, *response)) return exit_code;
  std::ostream& out = session.terminal.out;
  if (!session.ForPeople())
    out << "in_flight\t" << in_flight << "\n";
  else if (in_flight > 0)
    out << in_flight << " still in flight; run it again to wait longer. Only a restart ends the draining\n";
  else
    out << "drained: nothing is in flight. It takes nothing new and lets nothing leave; only a restart ends that\n";
  return exit_code;
}

}  // namespace smsflow::cli
