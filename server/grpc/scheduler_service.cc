#include "server/grpc/scheduler_service.h"

namespace smsflow::server {

SchedulerService::SchedulerService(const Doors& doors) : doors_(doors), watches_(*doors.engine) {}

SchedulerService::~SchedulerService() = default;

void SchedulerService::Close() {
  streams_.Close();
  watches_.Close();
}

}  // namespace smsflow::server
