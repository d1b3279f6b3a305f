#include "tests/crash/api.h"

#include <grpcpp/grpcpp.h>

#include <chrono>

#include "smsflow/v1/admin.grpc.pb.h"
#include "smsflow/v1/scheduler.grpc.pb.h"
#include "tests/crash/site.h"

namespace smsflow::crash {
namespace {

constexpr std::chrono::seconds kPatience{5};

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);  // how long one attempt to connect may take
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  arguments.SetMaxReceiveMessageSize(64 << 20);
  return arguments;
}

// Calls `method` of `stub` with a deadline and a token.
template <class Stub, class Request, class Response>
absl::StatusOr<Response> Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                              const std::string& who, const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  context.set_wait_for_ready(true);
  context.AddMetadata("authorization", "Bearer " + TokenOf(who));
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  return response;
}

}  // namespace

struct Api::Stubs {
  explicit Stubs(const std::string& address)
      : channel(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), Arguments())),
        scheduler(channel),
        admin(channel) {}
  std::shared_ptr<grpc::Channel> channel;
  v1::Scheduler::Stub scheduler;
  v1::Admin::Stub admin;
};

Api::Api(const std::string& address) : stubs_(std::make_unique<Stubs>(address)) {}
Api::~Api() = default;

absl::StatusOr<v1::ScheduleResponse> Api::Schedule(const std::string& tenant, const v1::ScheduleRequest& request) {
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::Schedule, tenant, request);
}

absl::StatusOr<v1::ScheduleBatchResponse> Api::ScheduleBatch(const std::string& tenant,
                                                             const v1::ScheduleBatchRequest& request) {
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::ScheduleBatch, tenant, request);
}

absl::StatusOr<v1::CancelResponse> Api::Cancel(const std::string& tenant, const v1::CancelRequest& request) {
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::Cancel, tenant, request);
}

absl::StatusOr<v1::BlockResponse> Api::Block(const std::string& tenant, const std::string& target) {
  v1::BlockRequest request;
  request.set_target(target);
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::Block, tenant, request);
}

absl::StatusOr<v1::UnblockResponse> Api::Unblock(const std::string& tenant, const std::string& target) {
  v1::UnblockRequest request;
  request.set_target(target);
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::Unblock, tenant, request);
}

absl::StatusOr<v1::SmsStatus> Api::Get(const std::string& tenant, const std::string& id) {
  v1::GetRequest request;
  request.set_id(id);
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::Get, tenant, request);
}

absl::StatusOr<v1::ListResponse> Api::List(const std::string& tenant, const std::string& page_token) {
  v1::ListRequest request;
  request.set_page_size(1000);
  request.set_page_token(page_token);
  return Call(stubs_->scheduler, &v1::Scheduler::Stub::List, tenant, request);
}

absl::StatusOr<v1::GetJournalResponse> Api::GetJournal(const std::string& id) {
  v1::GetJournalRequest request;
  request.set_id(id);
  return Call(stubs_->admin, &v1::Admin::Stub::GetJournal, std::string("admin"), request);
}

}  // namespace smsflow::crash
