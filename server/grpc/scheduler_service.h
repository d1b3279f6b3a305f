// smsflow.v1.Scheduler: what clients call. One file per group of verbs: schedule.cc, schedule_stream.cc, query.cc,
// commands.cc, watch.cc.
//
// Every answer of a verb that changes something is sent only once the change is durable.
#pragma once

#include <atomic>
#include <memory>

#include "server/grpc/doors.h"
#include "server/grpc/open_streams.h"
#include "server/grpc/watch_hub.h"
#include "smsflow/v1/scheduler.grpc.pb.h"

namespace smsflow::server {

class SchedulerService final {
 public:
  // `doors` must outlive it.
  explicit SchedulerService(const Doors& doors);
  ~SchedulerService();

  grpc::Service& wire() { return wire_; }
  void Serve(CallQueue& queue);
  // Ends all streams, for a graceful stop; later ones are UNAVAILABLE.
  void Close();

 private:
  // schedule.cc
  void Schedule(UnaryCall* call, const v1::ScheduleRequest* request, v1::ScheduleResponse* response);
  void ScheduleBatch(UnaryCall* call, const v1::ScheduleBatchRequest* request, v1::ScheduleBatchResponse* response);
  // schedule_stream.cc
  void ScheduleStream(BidiStream<v1::ScheduleStreamRequest, v1::ScheduleStreamResponse>* stream);
  // query.cc
  void Get(UnaryCall* call, const v1::GetRequest* request, v1::SmsStatus* response);
  void List(UnaryCall* call, const v1::ListRequest* request, v1::ListResponse* response);
  void BatchSummary(UnaryCall* call, const v1::BatchSummaryRequest* request, v1::BatchSummaryResponse* response);
  void ListBlocked(UnaryCall* call, const v1::ListBlockedRequest* request, v1::ListBlockedResponse* response);
  // commands.cc
  void Cancel(UnaryCall* call, const v1::CancelRequest* request, v1::CancelResponse* response);
  void Reschedule(UnaryCall* call, const v1::RescheduleRequest* request, v1::SmsStatus* response);
  void Block(UnaryCall* call, const v1::BlockRequest* request, v1::BlockResponse* response);
  void Unblock(UnaryCall* call, const v1::UnblockRequest* request, v1::UnblockResponse* response);
  // watch.cc
  void Watch(WriteStream<v1::WatchResponse>* stream, const v1::WatchRequest* request);

  Wire<v1::Scheduler> wire_;
  const Doors& doors_;
  std::atomic<int> schedules_open_{0};  // unary ones that the engine has
  OpenStreams streams_;
  WatchHub watches_;
};

}  // namespace smsflow::server
