#include "server/grpc/scheduler_service.h"

namespace smsflow::server {

namespace {

// Two HTTP/2 frames' worth of calls that one read of a socket may bring.
constexpr int kSpareSchedules = 128;
constexpr int kSpareBatches = 8;

}  // namespace

SchedulerService::SchedulerService(const Doors& doors)
    : wire_(doors.authenticator), doors_(doors), watches_(*doors.engine) {}

SchedulerService::~SchedulerService() = default;

void SchedulerService::Serve(CallQueue& queue) {
  using Self = SchedulerService;
  queue.Unary(wire_, "Schedule", *this, &Self::Schedule, {kSpareSchedules, false});
  queue.Unary(wire_, "ScheduleBatch", *this, &Self::ScheduleBatch, {kSpareBatches, false});
  queue.Bidi(wire_, "ScheduleStream", *this, &Self::ScheduleStream);
  queue.Unary(wire_, "Get", *this, &Self::Get);
  queue.Unary(wire_, "List", *this, &Self::List);
  queue.Unary(wire_, "BatchSummary", *this, &Self::BatchSummary);
  queue.Unary(wire_, "ListBlocked", *this, &Self::ListBlocked);
  queue.Unary(wire_, "Cancel", *this, &Self::Cancel);
  queue.Unary(wire_, "Reschedule", *this, &Self::Reschedule);
  queue.Unary(wire_, "Block", *this, &Self::Block);
  queue.Unary(wire_, "Unblock", *this, &Self::Unblock);
  queue.Writes(wire_, "Watch", *this, &Self::Watch);
}

void SchedulerService::Close() {
  streams_.Close();
  watches_.Close();
}

}  // namespace smsflow::server
