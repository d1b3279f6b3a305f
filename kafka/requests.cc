// What comes from clients: `schedule-sms` and `sms-timer`.
#include <utility>

#include "absl/strings/str_cat.h"
#include "kafka/json_fields.h"
#include "kafka/records.h"

namespace smsflow::kafka {
namespace {

using Action = ScheduleSms::Action;

std::string_view NameOf(Action action) {
  switch (action) {
    case Action::kSchedule:
      return "schedule";
    case Action::kCancel:
      return "cancel";
    case Action::kBlock:
      return "block";
  }
  return "?";
}

std::optional<Action> ActionOf(std::string_view name) {
  for (const Action action : {Action::kSchedule, Action::kCancel, Action::kBlock}) {
    if (name == NameOf(action)) return action;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<ScheduleSms> DecodeScheduleSms(std::string_view value, std::span<const HeaderView> headers) {
  JsonFields fields(value, {"action", "client", "target", "key", "batch", "schedule", "message"});
  if (!fields.ok()) return fields.status();
  ScheduleSms sms;
  const std::string name = fields.PresentText("action");
  const auto action = ActionOf(name);
  if (!action.has_value()) {
    if (fields.ok()) fields.Violate("action", "must be schedule, cancel or block");
    return fields.status();
  }
  sms.action = *action;
  sms.client = fields.FullText("client");
  // Whatever the action does not speak of may be there, as anything: the old program never looked at it either.
  if (sms.action == Action::kCancel) sms.key = fields.FullText("key");
  if (sms.action == Action::kBlock) sms.target = fields.FullText("target");
  if (sms.action == Action::kSchedule) {
    sms.target = fields.Text("target");
    sms.key = fields.Text("key");
    sms.batch = fields.Text("batch");
    sms.schedule = fields.PresentText("schedule");
    sms.message = fields.FullText("message");
    if (const auto key = FindHeader(headers, kIdempotencyKey); key.has_value()) {
      if (key->empty() || key->size() > kHeaderBytesMax) {
        fields.Violate(kIdempotencyKey, absl::StrCat("must be 1 to ", kHeaderBytesMax, " bytes"));
      }
      sms.idempotency_key = *key;
    }
  }
  if (!fields.ok()) return fields.status();
  return sms;
}

Outgoing EncodeScheduleSms(const ScheduleSms& sms) {
  JsonText json;
  json.Text("action", NameOf(sms.action)).Text("client", sms.client);
  if (sms.action == Action::kCancel) json.Text("key", sms.key);
  if (sms.action == Action::kBlock) json.Text("target", sms.target);
  if (sms.action == Action::kSchedule) {
    json.Text("target", sms.target).Text("key", sms.key).Text("batch", sms.batch);
    json.FullText("schedule", sms.schedule).Text("message", sms.message);
  }
  Outgoing record{.key = {}, .value = json.Take(), .headers = {}};
  if (!sms.idempotency_key.empty()) record.headers.push_back({std::string(kIdempotencyKey), sms.idempotency_key});
  return record;
}

absl::StatusOr<TimerSms> DecodeTimerSms(std::string_view value) {
  JsonFields fields(value, {"client", "id", "batch"});
  if (!fields.ok()) return fields.status();
  TimerSms timer;
  timer.client = fields.FullText("client");
  const std::string id = fields.Text("id");
  timer.batch = fields.Text("batch");
  if (!id.empty()) {
    timer.id = InstanceId::Parse(id);
    if (!timer.id.has_value()) fields.Violate("id", "must be the id of an SMS");
    if (!timer.batch.empty()) fields.Violate("batch", "must not be there beside id");
  }
  if (!fields.ok()) return fields.status();
  return timer;
}

Outgoing EncodeTimerSms(const TimerSms& timer) {
  JsonText json;
  json.Text("client", timer.client).Text("batch", timer.batch);
  if (timer.id.has_value()) json.Text("id", timer.id->ToString());
  return {.key = {}, .value = json.Take(), .headers = {}};
}

}  // namespace smsflow::kafka
