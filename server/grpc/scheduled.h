// An engine's answer to a creation, as clients see it. Plain functions; safe from any thread.
#pragma once

#include "absl/status/status.h"
#include "engine/engine.h"
#include "smsflow/v1/scheduler.pb.h"

namespace smsflow::server {

namespace v1 = ::smsflow::v1;

// REQUIRES an answer that is OK. DATA_LOSS: its bytes are not those of a delivery.
absl::Status FillScheduled(const engine::Answer& answer, v1::ScheduleResponse* response);
// Of one item, an error as well.
void FillResult(const engine::Answer& answer, v1::ScheduleResult* result);

}  // namespace smsflow::server
