// `sms-timer`: look now. It fires what the slots allow, and never more.
#include <utility>

#include "server/kafka/work.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server {

namespace delivery = workflows::delivery;

Work TimerWork(const Raw& record, const Acting& acting, const Validation& validation, std::int64_t now_ms) {
  std::optional<InstanceId> id;
  const auto dead = [&id](std::string reason) {
    engine::DeadLetter letter{std::move(reason)};
    letter.id = id;
    return Work{engine::FedWork(std::move(letter))};
  };
  auto timer = kafka::DecodeTimerSms(record.value);
  if (!timer.ok()) return dead(std::string(timer.status().message()));
  id = timer->id;
  auto actor = ActorOf(record, timer->client, "", acting, now_ms);
  if (!actor.ok()) return dead(std::string(actor.status().message()));
  if (timer->id) {
    return {engine::FedWork(engine::EventRequest{*timer->id, std::move(timer->client), std::move(actor->name),
                                                 delivery::EncodeLookNow(), std::nullopt})};
  }
  engine::SweepRequest sweep;
  sweep.workflow = delivery::kWorkflowNumber;
  sweep.tenant = std::move(timer->client);
  sweep.actor = std::move(actor->name);
  sweep.event = delivery::EncodeLookNow();
  if (!timer->batch.empty()) {
    Violations violations;
    validation.Name(timer->batch, "batch", violations);
    if (!violations.empty()) return dead("batch: " + violations.front().description);
    sweep.index = delivery::kBatchIndex;
    sweep.value = std::move(timer->batch);
  }
  return {engine::FedWork(std::move(sweep)), /*alone=*/true};
}

}  // namespace smsflow::server
