#include <string>

#include "absl/strings/str_cat.h"
#include "tools/cli/connection.h"
#include "tools/cli/failure.h"
#include "tools/cli/json_text.h"
#include "tools/cli/sms_text.h"
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

}  // namespace

Outcome RunResolve(Session& session) {
  const auto id = ParseId(session.arguments.subject);
  if (!id.ok()) return id.status();
  v1::ResolveRequest request;
  request.set_id(*id);
  const std::string& how = session.arguments.resolution;
  request.set_how(how == "delivered" ? v1::ResolveRequest::HOW_DELIVERED
                  : how == "retry"   ? v1::ResolveRequest::HOW_RETRY
                                     : v1::ResolveRequest::HOW_GIVE_UP);
  v1::SmsStatus sms;
  const absl::Status status = session.connection.Call("resolve", [&](grpc::ClientContext& context) {
    return session.connection.admin().Resolve(&context, request, &sms);
  });
  if (!status.ok()) return status;
  const Terminal& terminal = session.terminal;
  if (session.arguments.json)
    terminal.out << ToJson(sms) << "\n";
  else
    terminal.out << IdText(sms.id()) << (session.ForPeople() ? "  " : "\t")
                 << Painted(terminal, session.ForPeople() ? StateColor(sms.state()) : Color::kNone,
                            StateName(sms.state()))
                 << "\n";
  return kExitOk;
}

Outcome RunPause(Session& session) {
  const auto request = Scope(session.arguments, "pause");
  if (!request.ok()) return request.status();
  v1::PauseResponse response;
  const absl::Status status = session.connection.Call("pause", [&](grpc::ClientContext& context) {
    return session.connection.admin().Pause(&context, *request, &response);
  });
  if (!status.ok()) return status;
  if (session.arguments.json)
    session.terminal.out << ToJson(response) << "\n";
  else
    session.terminal.out << (response.changed() ? "paused" : "was paused already") << "\n";
  return kExitOk;
}

Outcome RunResume(Session& session) {
  const auto request = Scope(session.arguments, "resume");
  if (!request.ok()) return request.status();
  v1::PauseResponse response;
  const absl::Status status = session.connection.Call("resume", [&](grpc::ClientContext& context) {
    return session.connection.admin().Resume(&context, *request, &response);
  });
  if (!status.ok()) return status;
  if (session.arguments.json)
    session.terminal.out << ToJson(response) << "\n";
  else
    session.terminal.out << (response.changed() ? "resumed" : "was not paused") << "\n";
  return kExitOk;
}

Outcome RunDrain(Session& session) {
  v1::DrainRequest request;
  // The server answers a little before the call would end, so that its count still arrives.
  const auto timeout_ms = std::chrono::milliseconds(session.connection.timeout()).count();
  request.set_timeout_ms(static_cast<std::uint32_t>(timeout_ms - timeout_ms / 10));
  v1::DrainResponse response;
  const absl::Status status = session.connection.Call("drain", [&](grpc::ClientContext& context) {
    return session.connection.admin().Drain(&context, request, &response);
  });
  if (!status.ok()) return status;
  if (session.arguments.json)
    session.terminal.out << ToJson(response) << "\n";
  else if (session.ForPeople())
    session.terminal.out << (response.in_flight() == 0
                                 ? std::string(
                                       "drained: nothing is in flight; it takes nothing new until it is restarted")
                                 : absl::StrCat(response.in_flight(), " still in flight; run it again to wait longer"))
                         << "\n";
  else
    session.terminal.out << "in_flight\t" << response.in_flight() << "\n";
  return response.in_flight() == 0 ? kExitOk : kExitNegative;
}

}  // namespace smsflow::cli
