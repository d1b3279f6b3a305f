#include "workflows/delivery/codec/codec.h"

#include <google/protobuf/repeated_field.h>

#include <algorithm>

#include "smsflow/stored/v1/delivery.pb.h"
#include "workflows/delivery/causes.h"
#include "workflows/delivery/codec/rows.h"

namespace smsflow::workflows::delivery {
namespace {

namespace stored = smsflow::stored::v1;
using PackedSlots = google::protobuf::RepeatedField<std::uint64_t>;

// Start, length, gap, length, …: small numbers, so few bytes.
void Pack(const Slots& slots, PackedSlots* packed) {
  std::int64_t at = 0;
  for (const Slot& slot : slots) {
    packed->Add(static_cast<std::uint64_t>(slot.from_s - at));
    packed->Add(static_cast<std::uint64_t>(slot.till_s - slot.from_s));
    at = slot.till_s;
  }
}

std::optional<Slots> Unpack(const PackedSlots& packed) {
  if (packed.size() % 2 != 0) return std::nullopt;
  constexpr auto kMost = static_cast<std::uint64_t>(kLatestSecond);
  Slots slots;
  slots.reserve(static_cast<std::size_t>(packed.size()) / 2);
  std::uint64_t at = 0;
  for (int i = 0; i < packed.size(); i += 2) {
    const std::uint64_t gap = packed[i], length = packed[i + 1];
    if (gap > kMost - at || length == 0 || length > kMost - at - gap) return std::nullopt;
    slots.push_back({static_cast<std::int64_t>(at + gap), static_cast<std::int64_t>(at + gap + length)});
    at += gap + length;
  }
  return slots;
}

// One message of each kind a thread, so that its memory is used again: a step reads and writes several.
template <class Message>
Message& Fresh() {
  thread_local Message message;
  message.Clear();
  return message;
}

template <class Message>
Message* Read(std::string_view bytes) {
  Message& message = Fresh<Message>();
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ? &message : nullptr;
}

Event Encoded(EventKind kind, std::string body = {}) { return {kind, std::move(body), 0, 0}; }

std::optional<AnyEvent> DecodeReport(const Event& event) {
  auto* const read = Read<stored::DeliveryReport>(event.body);
  if (read == nullptr || event.effect == 0) return std::nullopt;
  auto& row = *read;
  if (row.reported() < 1 || row.reported() > 9 || row.about() > 4) return std::nullopt;
  return Report{event.effect, static_cast<Reported>(row.reported()), static_cast<About>(row.about()),
                std::string(CauseWord(row.cause())), row.at_ms()};
}

std::optional<AnyEvent> DecodeReschedule(const Event& event) {
  auto* const read = Read<stored::DeliveryReschedule>(event.body);
  if (read == nullptr) return std::nullopt;
  auto& row = *read;
  Reschedule reschedule;
  if (row.has_slots()) {
    reschedule.slots = Unpack(row.slots());
    if (!reschedule.slots) return std::nullopt;
  }
  reschedule.payload = row.payload();
  reschedule.key_id = row.key_id();
  reschedule.tzdata = row.tzdata();
  return reschedule;
}

std::optional<AnyEvent> DecodeResolve(const Event& event) {
  const auto* const row = Read<stored::DeliveryResolve>(event.body);
  if (row == nullptr || row->how() < 1 || row->how() > 3) return std::nullopt;
  return Resolve{static_cast<How>(row->how())};
}

}  // namespace

std::string EncodeFixed(const Fixed& fixed) {
  auto& row = Fresh<stored::DeliveryFixed>();
  row.set_batch(fixed.batch);
  row.set_key(fixed.key);
  row.set_key_id(fixed.key_id);
  Pack(fixed.slots, row.mutable_slots());
  row.set_tzdata(fixed.tzdata);
  return row.SerializeAsString();
}

std::optional<Fixed> DecodeFixed(std::string_view bytes) {
  auto* const read = Read<stored::DeliveryFixed>(bytes);
  if (read == nullptr) return std::nullopt;
  auto& row = *read;
  auto slots = Unpack(row.slots());
  if (!slots) return std::nullopt;
  return Fixed{std::move(*row.mutable_batch()), std::move(*row.mutable_key()), std::move(*row.mutable_key_id()),
               std::move(*slots), std::move(*row.mutable_tzdata())};
}

std::string EncodeData(const Data& data) {
  auto& row = Fresh<stored::DeliveryData>();
  row.set_due_ms(data.due_ms);
  row.set_left_ms(data.left_ms);
  row.set_deadline_ms(data.deadline_ms);
  row.set_attempts(data.attempts);
  row.mutable_results()->assign(reinterpret_cast<const char*>(data.results.data()), data.results.size());
  row.set_stop(static_cast<std::uint32_t>(data.stop));
  row.set_probes(data.probes);
  row.set_cause(data.cause);
  row.mutable_noted()->assign(reinterpret_cast<const char*>(data.noted.data()), data.noted.size());
  return row.SerializeAsString();
}

std::optional<Data> DecodeData(std::string_view bytes) {
  auto* const read = Read<stored::DeliveryData>(bytes);
  if (read == nullptr || read->stop() > 2) return std::nullopt;
  auto& row = *read;
  if (row.results().size() != std::min<std::size_t>(row.attempts(), kResultsKept)) return std::nullopt;
  Data data{row.due_ms(),
            row.left_ms(),
            row.deadline_ms(),
            row.attempts(),
            {},
            static_cast<Stop>(row.stop()),
            row.probes(),
            std::move(*row.mutable_cause()),
            {row.noted().begin(), row.noted().end()}};
  if (!data.noted.empty() && data.noted.size() != row.results().size()) return std::nullopt;
  for (const char c : row.results()) {
    if (c < 0 || c > static_cast<char>(Result::kDelivered)) return std::nullopt;
    data.results.push_back(static_cast<Result>(c));
  }
  return data;
}

std::optional<AnyEvent> DecodeEvent(const Event& event) {
  switch (event.kind) {
    case kTimerFired:
      return TimerFired{static_cast<Timer>(event.timer), event.timer_due_ms};
    case kPeerLost:
      return PeerLost{event.effect};
    case kReportEvent:
      return DecodeReport(event);
    case kCancelEvent:
      return Cancel{};
    case kBlockEvent:
      return Block{};
    case kRescheduleEvent:
      return DecodeReschedule(event);
    case kResolveEvent:
      return DecodeResolve(event);
    case kLookNowEvent:
      return LookNow{};
    case kScheduleEvent:
      if (auto fixed = DecodeFixed(event.body)) return Schedule{std::move(*fixed)};
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

Event EncodeSchedule(const Schedule& schedule) { return Encoded(kScheduleEvent, EncodeFixed(schedule.fixed)); }

Event EncodeReport(const Report& report) {
  auto& row = Fresh<stored::DeliveryReport>();
  row.set_reported(static_cast<std::uint32_t>(report.reported));
  row.set_about(static_cast<std::uint32_t>(report.about));
  row.set_cause(std::string(CauseWord(report.cause)));
  row.set_at_ms(report.at_ms);
  Event event = Encoded(kReportEvent, row.SerializeAsString());
  event.effect = report.attempt;
  return event;
}

Event EncodeCancel() { return Encoded(kCancelEvent); }
Event EncodeBlock() { return Encoded(kBlockEvent); }
Event EncodeLookNow() { return Encoded(kLookNowEvent); }

Event EncodeReschedule(const Reschedule& reschedule) {
  auto& row = Fresh<stored::DeliveryReschedule>();
  row.set_has_slots(reschedule.slots.has_value());
  if (reschedule.slots) Pack(*reschedule.slots, row.mutable_slots());
  row.set_payload(reschedule.payload);
  row.set_key_id(reschedule.key_id);
  row.set_tzdata(reschedule.tzdata);
  return Encoded(kRescheduleEvent, row.SerializeAsString());
}

Event EncodeResolve(How how) {
  auto& row = Fresh<stored::DeliveryResolve>();
  row.set_how(static_cast<std::uint32_t>(how));
  return Encoded(kResolveEvent, row.SerializeAsString());
}

std::string EncodePolicy(const Policy& policy) {
  auto& row = Fresh<stored::DeliveryPolicy>();
  row.set_wait_after_fail_ms(policy.wait_after_fail_ms);
  row.set_max_attempts(policy.max_attempts);
  row.set_ack_send_timeout_ms(policy.ack_send_timeout_ms);
  row.set_ack_receipt_timeout_ms(policy.ack_receipt_timeout_ms);
  row.set_max_jitter_ms(policy.max_jitter_ms);
  row.set_probe_ms(policy.probe_ms);
  row.set_retention_ms(policy.retention_ms);
  row.set_on_unknown(static_cast<std::uint32_t>(policy.on_unknown));
  row.set_dedupe(policy.dedupe);
  return row.SerializeAsString();
}

std::optional<Policy> DecodePolicy(std::string_view bytes) {
  auto* const read = Read<stored::DeliveryPolicy>(bytes);
  if (read == nullptr || read->on_unknown() > 1) return std::nullopt;
  auto& row = *read;
  Policy policy;
  if (row.has_wait_after_fail_ms()) policy.wait_after_fail_ms = row.wait_after_fail_ms();
  if (row.has_max_attempts()) policy.max_attempts = row.max_attempts();
  if (row.has_ack_send_timeout_ms()) policy.ack_send_timeout_ms = row.ack_send_timeout_ms();
  if (row.has_ack_receipt_timeout_ms()) policy.ack_receipt_timeout_ms = row.ack_receipt_timeout_ms();
  if (row.has_max_jitter_ms()) policy.max_jitter_ms = row.max_jitter_ms();
  if (row.has_probe_ms()) policy.probe_ms = row.probe_ms();
  if (row.has_retention_ms()) policy.retention_ms = row.retention_ms();
  if (row.has_on_unknown()) policy.on_unknown = static_cast<OnUnknown>(row.on_unknown());
  if (row.has_dedupe()) policy.dedupe = row.dedupe();
  return policy;
}

std::string EncodeScheduleAnswer(State state, std::int64_t due_ms, std::int64_t deadline_ms) {
  auto& row = Fresh<stored::DeliveryAnswer>();
  row.set_state(static_cast<std::uint32_t>(state));
  row.set_due_ms(due_ms);
  row.set_deadline_ms(deadline_ms);
  return row.SerializeAsString();
}

std::optional<ScheduleAnswer> DecodeScheduleAnswer(std::string_view answer) {
  auto* const read = Read<stored::DeliveryAnswer>(answer);
  if (read == nullptr) return std::nullopt;
  auto& row = *read;
  return ScheduleAnswer{static_cast<State>(row.state()), row.due_ms(), row.deadline_ms()};
}

std::string FingerprintInput(std::string_view batch, std::string_view key, const Slots& slots) {
  // A length before each name, so that no two inputs yield the same bytes.
  std::string bytes = std::to_string(batch.size()) + ':';
  bytes.append(batch).append(std::to_string(key.size()) + ':').append(key).append(ToText(slots));
  return bytes;
}

}  // namespace smsflow::workflows::delivery
