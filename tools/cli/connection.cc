#include "tools/cli/connection.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tools/cli/failure.h"
#include "tools/cli/files.h"
#include "tools/cli/request_check.h"
#include "tools/cli/terminal.h"
#include "tools/cli/time_text.h"

namespace smsflow::cli {
namespace {

constexpr int kMessageBytesMax = 64 << 20;
constexpr int kConnectPatienceMs = 10'000;
constexpr int kReconnectFirstMs = 100;
constexpr int kReconnectLongestMs = 1'000;

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(const ConnectionArguments& arguments) {
  if (arguments.ca.empty() && IsLocal(arguments.address)) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  if (!arguments.ca.empty()) {
    auto pem = ReadWholeFile(arguments.ca);
    if (!pem.ok()) return pem.status();
    options.pem_root_certs = *std::move(pem);
  }
  return grpc::SslCredentials(options);
}

std::string What(const grpc::Status& status) {
  const std::string violations = Violations(status.error_details());
  if (!violations.empty()) return Visible(SlotsAsTyped(violations, "--at"));
  const std::string& message = status.error_message();
  if (message == "id: unknown") return "no such SMS for this tenant; smsflow list shows them";
  if (message == "idempotency_key: was used for another request")
    return "--idempotency-key: was used for another request: batch, key and slots must be the same, and the slots of "
           "--at "
           "+… change with the clock; name them as TIME/TIME";
  // gRPC tells the whole way down to the socket; what went wrong stands last.
  if (message.starts_with("failed to connect")) return Visible(message.substr(message.rfind(": ") + 2));
  // The server names what it got; here that was a flag.
  constexpr std::string_view kTenant = "smsflow-tenant: ";
  if (message.starts_with(kTenant)) return Visible("--tenant or SMSFLOW_TENANT: " + message.substr(kTenant.size()));
  return Visible(message);
}

// What to look at when nobody answers.
const char* Advice(const grpc::Status& status) {
  const std::string& message = status.error_message();
  const auto says = [&](const char* words) { return message.find(words) != std::string::npos; };
  if (says("certificate verify failed"))
    return "its certificate is not vouched for: --ca FILE names who is trusted, and --address must be a name in it";
  if (says("WRONG_VERSION_NUMBER") || says("wrong version number"))
    return "it speaks no TLS: leave out --ca on this machine";
  if (says("Socket closed") || says("Connection reset")) return "if it wants TLS, give --ca FILE";
  return "is smsflowd running there? --address or SMSFLOW_ADDRESS says where";
}

// Whether it was the server that refused, and not the way to it that failed.
bool ServerSaid(const grpc::ClientContext& context) {
  return context.debug_error_string().find("received from peer") != std::string::npos;
}

// Which credential would do.
std::string Right(const grpc::Status& status) {
  const std::string& message = status.error_message();
  const auto says = [&](const char* words) { return message.find(words) != std::string::npos; };
  if (IsForSomeTenantsOnly(absl::PermissionDeniedError(message)))
    return "; use an admin key without `tenants`: docs/operations.md shows how to make one";
  if (says("tenant: ")) return "; name another tenant, or use a token that is for this one";
  if (says("role")) return "; use a token with the role this needs";
  return "";
}

// host:port or unix:/path; a name that does not exist is found out later.
bool IsAddress(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == address.size()) return false;
  if (address.starts_with("unix:")) return true;
  int port = 0;
  return absl::SimpleAtoi(std::string(address.substr(colon + 1)), &port) && port > 0 && port <= 65'535;
}

}  // namespace

bool IsLocal(std::string_view address) {
  if (address.starts_with("unix:")) return true;
  const std::string_view host = address.substr(0, address.rfind(':'));
  if (host == "localhost" || host == "[::1]") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionArguments& arguments,
                                                             const std::string& tenant) {
  const auto timeout_s = ParseSeconds(arguments.timeout);
  if (!timeout_s.ok() || *timeout_s < 1)
    return absl::InvalidArgumentError("--timeout: a number of seconds from 1, or with s, m, h");
  if (!IsAddress(arguments.address))
    return absl::InvalidArgumentError("--address: must be host:port or unix:/path (also SMSFLOW_ADDRESS)");
  auto credentials = Credentials(arguments);
  if (!credentials.ok()) return credentials.status();
  grpc::ChannelArguments channel_arguments;
  channel_arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  channel_arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // gRPC has pauses of its own between attempts to connect, up to two minutes: a watch would be silent for so long
  // after the server is back. What it calls the least pause is how long one attempt may take.
  channel_arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectFirstMs);
  channel_arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectPatienceMs);
  channel_arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectLongestMs);
  auto channel = grpc::CreateCustomChannel(arguments.address, *credentials, channel_arguments);
  return std::unique_ptr<Connection>(
      new Connection(arguments, tenant, std::move(channel), std::chrono::seconds(*timeout_s)));
}

Connection::Connection(const ConnectionArguments& arguments, const std::string& tenant,
                       std::shared_ptr<grpc::Channel> channel, std::chrono::seconds timeout)
    : address_(arguments.address),
      token_(arguments.token),
      tenant_(tenant),
      timeout_(timeout),
      channel_(std::move(channel)),
      scheduler_(smsflow::v1::Scheduler::NewStub(channel_)),
      admin_(smsflow::v1::Admin::NewStub(channel_)),
      iam_(smsflow::v1::Iam::NewStub(channel_)) {}

Connection::Connection(const Connection& other, const std::string& tenant)
    : address_(other.address_),
      token_(other.token_),
      tenant_(tenant),
      timeout_(other.timeout_),
      channel_(other.channel_),
      scheduler_(smsflow::v1::Scheduler::NewStub(channel_)),
      admin_(smsflow::v1::Admin::NewStub(channel_)) {}

std::unique_ptr<Connection> Connection::ForTenant(const std::string& tenant) const {
  return std::unique_ptr<Connection>(new Connection(*this, tenant));
}

void Connection::Prepare(grpc::ClientContext& context, bool with_deadline) const {
  if (!token_.empty()) context.AddMetadata("authorization", "Bearer " + token_);
  if (!tenant_.empty()) context.AddMetadata("smsflow-tenant", tenant_);
  if (with_deadline) context.set_deadline(std::chrono::system_clock::now() + timeout_);
}

absl::Status Connection::Explain(std::string_view doing, const grpc::ClientContext& context,
                                 const grpc::Status& status) const {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  const std::string verb(doing);
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      if (ServerSaid(context)) return {code, absl::StrCat(verb, ": ", What(status))};
      return {code, absl::StrCat(verb, ": cannot reach ", address_, " (", What(status), "); ", Advice(status))};
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {code, absl::StrCat(verb, ": no answer from ", address_, " within ", timeout_.count(),
                                 " s; it may have been done all the same: look before you repeat it")};
    case grpc::StatusCode::UNAUTHENTICATED:
      return {code, absl::StrCat(verb, ": ", What(status), "; set SMSFLOW_TOKEN to a token that the server knows")};
    case grpc::StatusCode::PERMISSION_DENIED:
      return {code, absl::StrCat(verb, ": ", What(status), Right(status))};
    case grpc::StatusCode::UNIMPLEMENTED:
      return {code, absl::StrCat(verb, ": the server at ", address_,
                                 " does not offer this; is it smsflowd, and as new as "
                                 "this program?")};
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::DATA_LOSS:
      return {code, absl::StrCat(verb, ": the server failed: ", What(status), "; its log says more")};
    default:
      return {code, absl::StrCat(verb, ": ", What(status))};
  }
}

}  // namespace smsflow::cli
