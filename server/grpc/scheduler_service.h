// smsflow.v1.Scheduler: what clients call. One file per group of verbs: schedule.cc, schedule_stream.cc, query.cc,
// commands.cc, watch.cc.
//
// Every answer of a verb that changes something is sent only once the change is durable.
#pragma once

#include <memory>

#include "server/grpc/doors.h"
#include "server/grpc/open_streams.h"
#include "server/grpc/watch_hub.h"
#include "smsflow/v1/scheduler.grpc.pb.h"

namespace smsflow::server {

class SchedulerService final : public v1::Scheduler::CallbackService {
 public:
  // `doors` must outlive it.
  explicit SchedulerService(const Doors& doors);
  ~SchedulerService() override;

  // Ends all streams, for a graceful stop; later ones are UNAVAILABLE.
  void Close();

  // schedule.cc
  grpc::ServerUnaryReactor* Schedule(grpc::CallbackServerContext* context, const v1::ScheduleRequest* request,
                                     v1::ScheduleResponse* response) override;
  grpc::ServerUnaryReactor* ScheduleBatch(grpc::CallbackServerContext* context, const v1::ScheduleBatchRequest* request,
                                          v1::ScheduleBatchResponse* response) override;
  // schedule_stream.cc
  grpc::ServerBidiReactor<v1::ScheduleStreamRequest, v1::ScheduleStreamResponse>* ScheduleStream(
      grpc::CallbackServerContext* context) override;
  // query.cc
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context, const v1::GetRequest* request,
                                v1::SmsStatus* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context, const v1::ListRequest* request,
                                 v1::ListResponse* response) override;
  grpc::ServerUnaryReactor* BatchSummary(grpc::CallbackServerContext* context, const v1::BatchSummaryRequest* request,
                                         v1::BatchSummaryResponse* response) override;
  grpc::ServerUnaryReactor* ListBlocked(grpc::CallbackServerContext* context, const v1::ListBlockedRequest* request,
                                        v1::ListBlockedResponse* response) override;
  // commands.cc
  grpc::ServerUnaryReactor* Cancel(grpc::CallbackServerContext* context, const v1::CancelRequest* request,
                                   v1::CancelResponse* response) override;
  grpc::ServerUnaryReactor* Reschedule(grpc::CallbackServerContext* context, const v1::RescheduleRequest* request,
                                       v1::SmsStatus* response) override;
  grpc::ServerUnaryReactor* Block(grpc::CallbackServerContext* context, const v1::BlockRequest* request,
                                  v1::BlockResponse* response) override;
  grpc::ServerUnaryReactor* Unblock(grpc::CallbackServerContext* context, const v1::UnblockRequest* request,
                                    v1::UnblockResponse* response) override;
  // watch.cc
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override;

 private:
  const Doors& doors_;
  OpenStreams streams_;
  WatchHub watches_;
};

}  // namespace smsflow::server
