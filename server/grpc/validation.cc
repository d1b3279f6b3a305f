#include "server/grpc/validation.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "crypto/envelope.h"
#include "crypto/hash.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/state.h"

namespace smsflow::server {

namespace delivery = workflows::delivery;

namespace {

// A compact JWE begins with the base64url of `{"` and a member's name: alg, enc, epk, iat, kid, sub, typ. Less would
// not tell it from the old format, whose base64 may begin with anything.
constexpr std::string_view kEnvelopeStarts[] = {"eyJhbGci", "eyJlbmMi", "eyJlcGsi", "eyJpYXQi",
                                                "eyJraWQi", "eyJzdWIi", "eyJ0eXAi"};

bool IsMeantAsEnvelope(std::string_view payload) {
  return std::any_of(std::begin(kEnvelopeStarts), std::end(kEnvelopeStarts),
                     [payload](std::string_view start) { return payload.starts_with(start); });
}

}  // namespace

Validation::Validation(const LimitsConfig& limits, const delivery::ZoneResolver* zones)
    : limits_(limits),
      zones_(zones),
      name_rule_("must be 1 to " + std::to_string(limits.name_bytes) + " bytes of printable UTF-8") {}

std::optional<InstanceId> Validation::Id(const std::string& bytes, const char* field, Violations& violations) {
  const auto id = InstanceId::FromBytes(bytes);
  if (!id) violations.push_back({field, "must be the 16 bytes of an SMS's id"});
  return id;
}

void Validation::Name(const std::string& text, const char* field, Violations& violations) const {
  if (text.empty() || text.size() > limits_.name_bytes || !IsPrintable(text)) violations.push_back({field, name_rule_});
}

void Validation::OptionalName(const std::string& text, const char* field, Violations& violations) const {
  if (!text.empty()) Name(text, field, violations);
}

delivery::ParsedSlots Validation::Slots(const std::string& text, std::int64_t now_ms, Violations& violations) const {
  delivery::ParsedSlots parsed = delivery::ParseSlots(text, zones_);
  if (!parsed.ok()) {
    violations.push_back({"schedule", std::move(parsed.error)});
  } else if (parsed.slots.empty() && limits_.horizon_ms != 0) {
    violations.push_back({"schedule", "must have at least one slot"});
  } else {
    const delivery::SlotLimits limits{limits_.slots, limits_.horizon_ms, 0};
    for (std::string& broken : delivery::CheckLimits(parsed.slots, limits, now_ms)) {
      violations.push_back({"schedule", std::move(broken)});
    }
  }
  return parsed;
}

void Validation::Payload(const std::string& payload, const std::string& subject, std::string& key_id,
                         Violations& violations) const {
  if (payload.empty() || payload.size() > limits_.payload_bytes) {
    violations.push_back({"payload", "must be 1 to " + std::to_string(limits_.payload_bytes) + " bytes"});
    return;
  }
  if (!IsMeantAsEnvelope(payload)) return;  // sealed in another way: opaque
  const auto header = crypto::ReadEnvelopeHeader(payload);
  if (!header.ok()) {
    violations.push_back({"payload", std::string(header.status().message())});
    return;
  }
  if (header->subject != subject) {
    violations.push_back({"payload", "must be sealed for this tenant and key: its sub is another"});
  }
  if (header->kid.empty() || header->kid.size() > limits_.name_bytes || !IsPrintable(header->kid)) {
    violations.push_back({"payload", "the kid of the envelope " + name_rule_});
  }
  if (key_id.empty()) {
    key_id = header->kid;
  } else if (key_id != header->kid) {
    violations.push_back({"key_id", "must be the kid of the payload's header"});
  }
}

Violations Validation::Schedule(v1::ScheduleRequest&& request, std::int64_t now_ms,
                                engine::CreateRequest& create) const {
  Violations violations;
  OptionalName(request.batch(), "batch", violations);
  OptionalName(request.key(), "key", violations);
  OptionalName(request.target(), "target", violations);
  OptionalName(request.idempotency_key(), "idempotency_key", violations);
  OptionalName(request.key_id(), "key_id", violations);
  Payload(request.payload(), crypto::EnvelopeSubject(create.tenant, request.key()), *request.mutable_key_id(),
          violations);
  delivery::Fixed fixed;
  delivery::ParsedSlots parsed = Slots(request.schedule(), now_ms, violations);
  fixed.slots = std::move(parsed.slots);
  fixed.tzdata = std::move(parsed.tzdata);
  if (!violations.empty()) return violations;

  create.workflow = delivery::kWorkflowNumber;
  create.target = std::move(*request.mutable_target());
  create.dedupe_key = std::move(*request.mutable_idempotency_key());
  if (!create.dedupe_key.empty()) {
    create.fingerprint = std::string(crypto::AsView(
        crypto::Cut(crypto::Sha256(delivery::FingerprintInput(request.batch(), request.key(), fixed.slots)))));
  }
  create.payload = std::move(*request.mutable_payload());
  fixed.batch = std::move(*request.mutable_batch());
  fixed.key = std::move(*request.mutable_key());
  fixed.key_id = std::move(*request.mutable_key_id());
  create.event = delivery::EncodeSchedule({std::move(fixed)});
  return violations;
}

Violations Validation::Reschedule(v1::RescheduleRequest&& request, const std::string& tenant, const std::string& key,
                                  std::int64_t now_ms, engine::EventRequest& event) const {
  Violations violations;
  delivery::Reschedule change;
  if (request.schedule().empty() && !request.has_payload()) {
    violations.push_back({"schedule", "must be there, or a payload: nothing is to be changed"});
  }
  if (!request.schedule().empty()) {
    delivery::ParsedSlots parsed = Slots(request.schedule(), now_ms, violations);
    change.slots = std::move(parsed.slots);
    change.tzdata = std::move(parsed.tzdata);
  }
  if (request.has_payload()) {
    OptionalName(request.key_id(), "key_id", violations);
    Payload(request.payload(), crypto::EnvelopeSubject(tenant, key), *request.mutable_key_id(), violations);
    change.payload = true;
    change.key_id = request.key_id();
    event.payload = std::move(*request.mutable_payload());
  } else if (!request.key_id().empty()) {
    violations.push_back({"key_id", "must come with a payload"});
  }
  if (violations.empty()) event.event = delivery::EncodeReschedule(change);
  return violations;
}

Violations Validation::Filter(const v1::Filter& filter, const std::string& tenant, engine::ListQuery& query) const {
  Violations violations;
  query.workflow = delivery::kWorkflowNumber;
  query.tenant = tenant;
  const struct {
    const std::string& value;
    const char* field;
    std::uint16_t index;
  } names[] = {{filter.batch(), "filter.batch", delivery::kBatchIndex},
               {filter.key(), "filter.key", delivery::kKeyIndex},
               {filter.target(), "filter.target", delivery::kTargetIndex}};
  for (const auto& name : names) {
    if (name.value.empty()) continue;
    Name(name.value, name.field, violations);
    if (query.index != 0) violations.push_back({name.field, "must stand alone: at most one of batch, key and target"});
    query.index = name.index;
    query.value = name.value;
    query.value_is_target = name.index == delivery::kTargetIndex;
  }
  for (const int state : filter.states()) {
    if (state <= 0 || !v1::SmsState_IsValid(state)) {
      violations.push_back({"filter.states", "must be states of an SMS"});
      break;
    }
    query.states.push_back(static_cast<std::uint16_t>(state));
  }
  constexpr std::int64_t kLatestMs = delivery::kLatestSecond * 1'000;
  query.created_from_ms = filter.created_from_ms();
  query.created_till_ms = filter.created_till_ms();
  for (const auto& [ms, field] : {std::pair(query.created_from_ms, "filter.created_from_ms"),
                                  std::pair(query.created_till_ms, "filter.created_till_ms")}) {
    if (ms < 0 || ms > kLatestMs) violations.push_back({field, "must be Unix milliseconds, 0 for open"});
  }
  return violations;
}

}  // namespace smsflow::server
