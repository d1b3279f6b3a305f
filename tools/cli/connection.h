// The way to the server: one channel, the credential on every call, and errors that say what to do.
//
// Plaintext goes to loopback and unix sockets only; everywhere else TLS. Calls block up to the timeout, and may be made
// from any thread; a stream is read by one.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "smsflow/v1/admin.grpc.pb.h"
#include "smsflow/v1/iam.grpc.pb.h"
#include "smsflow/v1/scheduler.grpc.pb.h"
#include "tools/cli/arguments.h"

namespace smsflow::cli {

using SchedulerStub = smsflow::v1::Scheduler::StubInterface;
using AdminStub = smsflow::v1::Admin::StubInterface;
using IamStub = smsflow::v1::Iam::StubInterface;

// A method of a stub that asks once and is answered once.
template <typename Stub, typename Request, typename Response>
using UnaryCall = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

// Plaintext is allowed there.
bool IsLocal(std::string_view address);

class Connection {
 public:
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionArguments& arguments,
                                                                        const std::string& tenant);

  // The same way and credential for another tenant.
  std::unique_ptr<Connection> ForTenant(const std::string& tenant) const;

  SchedulerStub& scheduler() { return *scheduler_; }
  AdminStub& admin() { return *admin_; }
  const std::shared_ptr<grpc::Channel>& channel() { return channel_; }
  std::chrono::seconds timeout() const { return timeout_; }

  // Puts credential and tenant on a call, and the timeout where one is wanted: streams that watch have none.
  void Prepare(grpc::ClientContext& context, bool with_deadline = true) const;

  // One unary call: `connection.Ask("get", &SchedulerStub::Get, request)`.
  template <typename Stub, typename Request, typename Response>
  [[nodiscard]] absl::StatusOr<Response> Ask(std::string_view doing, UnaryCall<Stub, Request, Response> call,
                                             const Request& request) {
    grpc::ClientContext context;
    Prepare(context);
    Response response;
    const grpc::Status status = (stub(static_cast<Stub*>(nullptr)).*call)(&context, request, &response);
    if (!status.ok()) return Explain(doing, context, status);
    return response;
  }

  // What came back of a call that is over, as one line that says what to do; OK stays OK.
  absl::Status Explain(std::string_view doing, const grpc::ClientContext& context, const grpc::Status& status) const;

 private:
  Connection(const ConnectionArguments& arguments, const std::string& tenant, std::shared_ptr<grpc::Channel> channel,
             std::chrono::seconds timeout);
  Connection(const Connection& other, const std::string& tenant);

  SchedulerStub& stub(SchedulerStub*) { return *scheduler_; }
  AdminStub& stub(AdminStub*) { return *admin_; }
  IamStub& stub(IamStub*) { return *iam_; }

  std::string address_, token_, tenant_;
  std::chrono::seconds timeout_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<smsflow::v1::Scheduler::Stub> scheduler_;
  std::unique_ptr<smsflow::v1::Admin::Stub> admin_;
  std::unique_ptr<smsflow::v1::Iam::Stub> iam_;
};

}  // namespace smsflow::cli
