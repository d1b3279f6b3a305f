#include "server/grpc/scheduled.h"

#include "server/grpc/status.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server {

absl::Status FillScheduled(const engine::Answer& answer, v1::ScheduleResponse* response) {
  const auto scheduled = workflows::delivery::DecodeScheduleAnswer(answer.answer);
  if (!scheduled) return absl::DataLossError("SMS " + answer.id.ToString() + ": its first answer cannot be read");
  response->set_id(std::string(answer.id.AsBytes()));
  response->set_state(static_cast<v1::SmsState>(scheduled->state));
  response->set_due_ms(scheduled->due_ms);
  response->set_deadline_ms(scheduled->deadline_ms);
  response->set_duplicate(answer.duplicate);
  return absl::OkStatus();
}

void FillResult(const engine::Answer& answer, v1::ScheduleResult* result) {
  absl::Status status = answer.status;
  if (status.ok()) status = FillScheduled(answer, result->mutable_scheduled());
  if (!status.ok()) FillItemError(status, answer.violations, result->mutable_error());
}

}  // namespace smsflow::server
