#include "server/grpc/scheduler_service.h"

namespace smsflow::server {

namespace {

// Two HTTP/2 frames' worth of calls that one read of a socket may bring.
constexpr int kSpareSchedules = 128;
constexpr int kSpareBatches = 8;

}  // namespace

SchedulerService::SchedulerService(const Doors& doors) : doors_(doors), watches_(*doors.engine) {}

SchedulerService::~SchedulerService() = default;

void SchedulerService::Serve(CallQueue& queue) {
  using Wire = v1::Scheduler::AsyncService;
  using Self = SchedulerService;
  queue.Unary(wire_, &Wire::RequestSchedule, *this, &Self::Schedule, {kSpareSchedules, false});
  queue.Unary(wire_, &Wire::RequestScheduleBatch, *this, &Self::ScheduleBatch, {kSpareBatches, false});
  queue.Bidi(wire_, &Wire::RequestScheduleStream, *this, &Self::ScheduleStream);
  queue.Unary(wire_, &Wire::RequestGet, *this, &Self::Get);
  queue.Unary(wire_, &Wire::RequestList, *this, &Self::List);
  queue.Unary(wire_, &Wire::RequestBatchSummary, *this, &Self::BatchSummary);
  queue.Unary(wire_, &Wire::RequestListBlocked, *this, &Self::ListBlocked);
  queue.Unary(wire_, &Wire::RequestCancel, *this, &Self::Cancel);
  queue.Unary(wire_, &Wire::RequestReschedule, *this, &Self::Reschedule);
  queue.Unary(wire_, &Wire::RequestBlock, *this, &Self::Block);
  queue.Unary(wire_, &Wire::RequestUnblock, *this, &Self::Unblock);
  queue.Writes(wire_, &Wire::RequestWatch, *this, &Self::Watch);
}

void SchedulerService::Close() {
  streams_.Close();
  watches_.Close();
}

}  // namespace smsflow::server
