// A server on loopback that answers as a test tells it, and remembers what it was asked.
//
// Handlers run on gRPC's threads; set them before the first call.
#pragma once

#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "smsflow/v1/admin.grpc.pb.h"
#include "smsflow/v1/scheduler.grpc.pb.h"

namespace smsflow::cli {

namespace v1 = smsflow::v1;

// Each verb of the services that has no handler answers UNIMPLEMENTED.
template <typename Request, typename Response>
using Handler = std::function<grpc::Status(const Request&, Response&)>;

class FakeServer final : public v1::Scheduler::Service, public v1::Admin::Service {
 public:
  FakeServer();
  ~FakeServer() override;
  // "127.0.0.1:PORT"
  const std::string& address() const { return address_; }
  // The token that the last call came with.
  std::string token();
  // The tenant that it named.
  std::string tenant();

  Handler<v1::ScheduleRequest, v1::ScheduleResponse> schedule;
  Handler<v1::ScheduleBatchRequest, v1::ScheduleBatchResponse> schedule_batch;
  Handler<v1::GetRequest, v1::SmsStatus> get;
  Handler<v1::ListRequest, v1::ListResponse> list;
  Handler<v1::BatchSummaryRequest, v1::BatchSummaryResponse> summary;
  Handler<v1::CancelRequest, v1::CancelResponse> cancel;
  Handler<v1::RescheduleRequest, v1::SmsStatus> reschedule;
  Handler<v1::BlockRequest, v1::BlockResponse> block;
  Handler<v1::UnblockRequest, v1::UnblockResponse> unblock;
  Handler<v1::ListBlockedRequest, v1::ListBlockedResponse> list_blocked;
  // What one Watch call says before it ends with the status.
  std::function<grpc::Status(const v1::WatchRequest&, std::vector<v1::WatchResponse>&)> watch;
  Handler<v1::GetJournalRequest, v1::GetJournalResponse> journal;
  Handler<v1::ExplainRequest, v1::ExplainResponse> explain;
  std::function<grpc::Status(const v1::ReplayRequest&, std::vector<v1::ReplayResponse>&)> replay;
  std::function<grpc::Status(const v1::VerifyRequest&, std::vector<v1::VerifyResponse>&)> verify;
  Handler<v1::StatsRequest, v1::StatsResponse> stats;
  Handler<v1::PauseRequest, v1::PauseResponse> pause, resume;
  Handler<v1::ResolveRequest, v1::SmsStatus> resolve;
  Handler<v1::DrainRequest, v1::DrainResponse> drain;

 private:
  template <typename Request, typename Response>
  grpc::Status Answer(grpc::ServerContext* context, const Handler<Request, Response>& handler, const Request* request,
                      Response* response);
  void Remember(grpc::ServerContext* context);

  grpc::Status Schedule(grpc::ServerContext*, const v1::ScheduleRequest*, v1::ScheduleResponse*) override;
  grpc::Status ScheduleBatch(grpc::ServerContext*, const v1::ScheduleBatchRequest*,
                             v1::ScheduleBatchResponse*) override;
  grpc::Status Get(grpc::ServerContext*, const v1::GetRequest*, v1::SmsStatus*) override;
  grpc::Status List(grpc::ServerContext*, const v1::ListRequest*, v1::ListResponse*) override;
  grpc::Status BatchSummary(grpc::ServerContext*, const v1::BatchSummaryRequest*, v1::BatchSummaryResponse*) override;
  grpc::Status Cancel(grpc::ServerContext*, const v1::CancelRequest*, v1::CancelResponse*) override;
  grpc::Status Reschedule(grpc::ServerContext*, const v1::RescheduleRequest*, v1::SmsStatus*) override;
  grpc::Status Watch(grpc::ServerContext*, const v1::WatchRequest*, grpc::ServerWriter<v1::WatchResponse>*) override;
  grpc::Status Block(grpc::ServerContext*, const v1::BlockRequest*, v1::BlockResponse*) override;
  grpc::Status Unblock(grpc::ServerContext*, const v1::UnblockRequest*, v1::UnblockResponse*) override;
  grpc::Status ListBlocked(grpc::ServerContext*, const v1::ListBlockedRequest*, v1::ListBlockedResponse*) override;
  grpc::Status GetJournal(grpc::ServerContext*, const v1::GetJournalRequest*, v1::GetJournalResponse*) override;
  grpc::Status Replay(grpc::ServerContext*, const v1::ReplayRequest*, grpc::ServerWriter<v1::ReplayResponse>*) override;
  grpc::Status Verify(grpc::ServerContext*, const v1::VerifyRequest*, grpc::ServerWriter<v1::VerifyResponse>*) override;
  grpc::Status Stats(grpc::ServerContext*, const v1::StatsRequest*, v1::StatsResponse*) override;
  grpc::Status Pause(grpc::ServerContext*, const v1::PauseRequest*, v1::PauseResponse*) override;
  grpc::Status Resume(grpc::ServerContext*, const v1::PauseRequest*, v1::PauseResponse*) override;
  grpc::Status Resolve(grpc::ServerContext*, const v1::ResolveRequest*, v1::SmsStatus*) override;
  grpc::Status Explain(grpc::ServerContext*, const v1::ExplainRequest*, v1::ExplainResponse*) override;
  grpc::Status Drain(grpc::ServerContext*, const v1::DrainRequest*, v1::DrainResponse*) override;

  std::mutex mutex_;
  std::string token_, tenant_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace smsflow::cli
