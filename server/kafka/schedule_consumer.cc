// `schedule-sms`: what clients ask for, checked as every other door checks it.
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/kafka/work.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server {

namespace delivery = workflows::delivery;

namespace {

Work Dead(std::string reason) { return {engine::FedWork(engine::DeadLetter{std::move(reason)})}; }

Work Dead(const Violations& violations) {
  std::string reason;
  for (const auto& violation : violations) {
    absl::StrAppend(&reason, reason.empty() ? "" : "; ", violation.field, ": ", violation.description);
  }
  return Dead(std::move(reason));
}

// The topic has one name less than the API: what it calls message is the payload.
void NameAsTheTopicDoes(Violations& violations) {
  for (auto& violation : violations) {
    if (violation.field == "payload") violation.field = "message";
    if (violation.field == "idempotency_key") violation.field = std::string(kafka::kIdempotencyKey);
  }
}

Work Schedule(kafka::ScheduleSms&& sms, std::string actor, const Validation& validation, std::int64_t now_ms) {
  engine::CreateRequest create;
  create.tenant = std::move(sms.client);
  create.actor = std::move(actor);
  v1::ScheduleRequest request;
  request.set_batch(std::move(sms.batch));
  request.set_key(std::move(sms.key));
  request.set_target(std::move(sms.target));
  request.set_schedule(std::move(sms.schedule));
  request.set_payload(std::move(sms.message));
  request.set_idempotency_key(std::move(sms.idempotency_key));
  Violations violations = validation.Schedule(std::move(request), now_ms, create);
  if (!violations.empty()) {
    NameAsTheTopicDoes(violations);
    return Dead(violations);
  }
  return {engine::FedWork(std::move(create))};
}

engine::SweepRequest SweepOf(kafka::ScheduleSms& sms, std::string actor) {
  engine::SweepRequest sweep;
  sweep.workflow = delivery::kWorkflowNumber;
  sweep.tenant = std::move(sms.client);
  sweep.actor = std::move(actor);
  return sweep;
}

// Of one that is not taken, whatever the reason: the names alone, by which its shard is found.
engine::DeadLetter NotTaken(const kafka::ScheduleSms& sms) {
  switch (sms.action) {
    case kafka::ScheduleSms::Action::kSchedule:
      return {.reason = "", .tenant = sms.client, .target = sms.target, .dedupe_key = sms.idempotency_key};
    case kafka::ScheduleSms::Action::kBlock:
      return {.reason = "", .tenant = sms.client, .target = sms.target};
    case kafka::ScheduleSms::Action::kCancel:
      return {};  // concerns all shards, and is taken where its place says
  }
  return {};
}

Work Judge(const Raw& record, kafka::ScheduleSms&& sms, const Acting& acting, const Validation& validation,
           std::int64_t now_ms) {
  auto actor = ActorOf(record, sms.client, sms.idempotency_key, acting, now_ms);
  if (!actor.ok()) return Dead(std::string(actor.status().message()));
  // Whoever reads a signed record can write it again; with a key of its own it is one SMS still.
  if (actor->by_signature && sms.action == kafka::ScheduleSms::Action::kSchedule && sms.idempotency_key.empty())
    return Dead(std::string(kafka::kIdempotencyKey) + ": is needed where a record is signed");
  Violations violations;
  switch (sms.action) {
    case kafka::ScheduleSms::Action::kSchedule:
      return Schedule(std::move(sms), std::move(actor->name), validation, now_ms);
    case kafka::ScheduleSms::Action::kCancel: {
      validation.Name(sms.key, "key", violations);
      if (!violations.empty()) return Dead(violations);
      engine::SweepRequest sweep = SweepOf(sms, std::move(actor->name));
      sweep.index = delivery::kKeyIndex;
      sweep.value = std::move(sms.key);
      sweep.event = delivery::EncodeCancel();
      return {engine::FedWork(std::move(sweep)), /*alone=*/true};
    }
    case kafka::ScheduleSms::Action::kBlock: {
      validation.Name(sms.target, "target", violations);
      if (!violations.empty()) return Dead(violations);
      engine::SweepRequest sweep = SweepOf(sms, std::move(actor->name));
      sweep.index = delivery::kTargetIndex;
      sweep.value = sms.target;
      sweep.target = std::move(sms.target);
      sweep.event = delivery::EncodeBlock();
      sweep.membership = workflows::MembershipChange{delivery::kBlockedSet, true};
      return {engine::FedWork(std::move(sweep)), /*alone=*/true};
    }
  }
  return Dead("action: must be one of schedule, cancel, block");
}

}  // namespace

Work ScheduleWork(const Raw& record, const Acting& acting, const Validation& validation, std::int64_t now_ms) {
  auto sms = kafka::DecodeScheduleSms(record.value, record.headers);
  if (!sms.ok()) return Dead(std::string(sms.status().message()));
  engine::DeadLetter not_taken = NotTaken(*sms);
  Work work = Judge(record, *std::move(sms), acting, validation, now_ms);
  if (auto* fed = std::get_if<engine::FedWork>(&work.what)) {
    if (auto* dead = std::get_if<engine::DeadLetter>(fed)) {
      not_taken.reason = std::move(dead->reason);
      *dead = std::move(not_taken);
    }
  }
  return work;
}

}  // namespace smsflow::server
