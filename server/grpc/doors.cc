#include "server/grpc/doors.h"

#include "logging/logging.h"
#include "server/grpc/status.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server {

namespace delivery = workflows::delivery;

absl::StatusOr<Caller> CallerOf(const Doors& doors, const CallContext& context, Role role) {
  if (context.asker() != nullptr) return (*context.asker())(role);
  Presented presented;
  const auto& metadata = context.client_metadata();
  if (const auto it = metadata.find("authorization"); it != metadata.end()) {
    presented.authorization = {it->second.data(), it->second.size()};
  }
  if (const auto it = metadata.find("smsflow-tenant"); it != metadata.end()) {
    presented.tenant = {it->second.data(), it->second.size()};
  }
  return doors.authenticator->Authenticate(presented, role);
}

grpc::Status TooManyReads() { return ToGrpc(absl::ResourceExhaustedError("too many reads wait: try again later")); }

absl::Status FillSmsStatus(const engine::StoredInstance& instance, v1::SmsStatus* status) {
  auto view = delivery::ViewOf(static_cast<std::uint16_t>(instance.state.state()), instance.head.target(),
                               instance.head.fixed(), instance.state.data());
  if (!view) {
    LogAbout(LogLevel::kError, instance.id, "what is stored of it cannot be read");
    return absl::DataLossError("SMS " + instance.id.ToString() + ": what is stored of it cannot be read");
  }
  status->set_id(std::string(instance.id.AsBytes()));
  status->set_batch(std::move(view->batch));
  status->set_key(std::move(view->key));
  status->set_target(std::move(view->target));
  status->set_state(static_cast<v1::SmsState>(view->state));
  status->set_created_ms(instance.id.created_ms());
  status->set_due_ms(view->due_ms);
  status->set_deadline_ms(view->deadline_ms);
  status->set_ended_ms(instance.state.ended_ms());
  status->set_attempts(view->attempts);
  status->set_cause(std::move(view->cause));
  status->set_changed_ms(instance.state.changed_ms());
  status->set_schedule(delivery::ToText(view->slots));
  status->set_user(instance.head.actor());
  return absl::OkStatus();
}

}  // namespace smsflow::server
