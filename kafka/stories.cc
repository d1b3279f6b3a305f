// What goes out for those who follow along: `sms-events`, `sms-inbound` and `smsflow-dead-letter`.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "kafka/instant.h"
#include "kafka/json_fields.h"
#include "kafka/records.h"

namespace smsflow::kafka {

absl::StatusOr<SmsEvent> DecodeSmsEvent(std::string_view value) {
  JsonFields fields(value, {"shard", "sequence", "id", "client-id", "batch", "key", "event", "from", "state",
                            "sms-status", "attempt", "cause", "timestamp", "epoch"});
  if (!fields.ok()) return fields.status();
  SmsEvent event;
  event.shard = static_cast<std::uint16_t>(fields.RequiredInteger("shard", 0, kShardsMax - 1));
  event.sequence = static_cast<std::uint64_t>(fields.RequiredInteger("sequence", 0, INT64_MAX));
  const std::string id = fields.FullText("id");
  if (const auto parsed = InstanceId::Parse(id)) {
    event.id = *parsed;
  } else if (!id.empty()) {
    fields.Violate("id", "must be the id of an SMS");
  }
  event.client = fields.FullText("client-id");
  event.batch = fields.Text("batch");
  event.key = fields.Text("key");
  event.event = fields.FullText("event");
  event.from = fields.Text("from");
  event.state = fields.FullText("state");
  event.status = fields.Text("sms-status");
  event.attempt = static_cast<std::uint32_t>(fields.Integer("attempt", 0, UINT32_MAX).value_or(0));
  event.cause = fields.Text("cause");
  const std::string at = fields.FullText("timestamp");
  const auto at_ms = ParseInstant(at);
  if (!at.empty() && !at_ms.has_value()) fields.Violate("timestamp", "must be an instant like 2026-01-31T10:00:00Z");
  event.at_ms = at_ms.value_or(0);
  event.epoch = static_cast<std::uint64_t>(fields.Integer("epoch", 1, INT64_MAX).value_or(1));
  if (!fields.ok()) return fields.status();
  return event;
}

Outgoing EncodeSmsEvent(const SmsEvent& event) {
  Outgoing record;
  record.key = event.id.ToString();
  JsonText json;
  json.Integer("shard", event.shard).Integer("sequence", static_cast<std::int64_t>(event.sequence));
  json.Text("id", record.key).Text("client-id", event.client).Text("batch", event.batch).Text("key", event.key);
  json.Text("event", event.event).Text("from", event.from).Text("state", event.state);
  json.Text("sms-status", event.status);
  if (event.attempt != 0) json.Integer("attempt", event.attempt);
  json.Text("cause", event.cause).Text("timestamp", FormatInstant(event.at_ms));
  if (event.epoch != 1) json.Integer("epoch", static_cast<std::int64_t>(event.epoch));
  record.value = json.Take();
  return record;
}

absl::StatusOr<InboundRecord> DecodeInbound(std::string_view value) {
  JsonFields fields(value, {"id", "client-id", "timestamp", "payload"});
  if (!fields.ok()) return fields.status();
  InboundRecord inbound;
  inbound.id = fields.FullText("id");
  inbound.client = fields.FullText("client-id");
  inbound.payload = fields.FullText("payload");
  inbound.at_ms = ParseInstant(fields.Text("timestamp")).value_or(0);
  if (!fields.ok()) return fields.status();
  return inbound;
}

Outgoing EncodeInbound(const InboundRecord& inbound) {
  Outgoing record;
  record.key = inbound.id;
  JsonText json;
  json.Text("id", inbound.id).Text("client-id", inbound.client).Text("timestamp", FormatInstant(inbound.at_ms));
  json.Text("payload", inbound.payload);
  record.value = json.Take();
  return record;
}

absl::StatusOr<DeadLetter> DecodeDeadLetter(std::string_view value) {
  JsonFields fields(value, {"topic", "partition", "offset", "reason", "timestamp", "bytes", "by"});
  if (!fields.ok()) return fields.status();
  DeadLetter letter;
  letter.topic = fields.FullText("topic");
  letter.partition = static_cast<std::int32_t>(fields.RequiredInteger("partition", 0, INT32_MAX));
  letter.offset = fields.RequiredInteger("offset", 0, INT64_MAX);
  letter.reason = fields.FullText("reason");
  letter.at_ms = ParseInstant(fields.Text("timestamp")).value_or(0);
  letter.bytes = static_cast<std::uint64_t>(fields.Integer("bytes", 0, INT64_MAX).value_or(0));
  letter.by = fields.Text("by");
  if (!fields.ok()) return fields.status();
  return letter;
}

Outgoing EncodeDeadLetter(const DeadLetter& letter) {
  Outgoing record;
  record.key = absl::StrCat(letter.topic, "/", letter.partition, "/", letter.offset);
  JsonText json;
  json.Text("topic", letter.topic).Integer("partition", letter.partition).Integer("offset", letter.offset);
  json.Text("reason", std::string_view(letter.reason).substr(0, kReasonBytesMax));
  json.Text("timestamp", FormatInstant(letter.at_ms)).Integer("bytes", static_cast<std::int64_t>(letter.bytes));
  json.Text("by", letter.by);
  record.value = json.Take();
  return record;
}

}  // namespace smsflow::kafka
