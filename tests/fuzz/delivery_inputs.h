// What can come to an SMS, and what is known of one, drawn from a fuzzer's bytes.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <string>

#include "workflows/delivery/codec/codec.h"

namespace smsflow::fuzz {

inline constexpr std::int64_t kNowMs = 1'700'000'000'000;

inline workflows::delivery::Slots AnySlots(FuzzedDataProvider& bytes) {
  workflows::delivery::Slots slots;
  std::int64_t at_s = kNowMs / 1000 - 500;
  for (int i = bytes.ConsumeIntegralInRange(1, 4); i > 0; --i) {
    const std::int64_t from_s = at_s + bytes.ConsumeIntegralInRange(1, 2'000);
    at_s = from_s + bytes.ConsumeIntegralInRange(1, 2'000);
    slots.push_back({from_s, at_s});
  }
  return slots;
}

// One of few, so that they meet.
inline std::string AnyName(FuzzedDataProvider& bytes, const char* kind) {
  const int number = bytes.ConsumeIntegralInRange(0, 3);
  return number == 0 ? "" : kind + std::to_string(number);
}

inline workflows::Event AnySchedule(FuzzedDataProvider& bytes) {
  workflows::delivery::Schedule schedule;
  schedule.fixed.slots = AnySlots(bytes);
  schedule.fixed.batch = AnyName(bytes, "batch");
  schedule.fixed.key = AnyName(bytes, "key");
  schedule.fixed.key_id = AnyName(bytes, "lane");
  return workflows::delivery::EncodeSchedule(schedule);
}

// Also one that nobody may say: the numbers end beyond the last word.
inline workflows::Event AnyReport(FuzzedDataProvider& bytes, std::uint32_t attempts) {
  workflows::delivery::Report report;
  report.attempt = bytes.ConsumeIntegralInRange<std::uint32_t>(0, attempts + 1);
  report.reported = static_cast<workflows::delivery::Reported>(bytes.ConsumeIntegralInRange(0, 10));
  report.about = static_cast<workflows::delivery::About>(bytes.ConsumeIntegralInRange(0, 5));
  const char* const words[] = {"", "undeliverable", "expired", "none of the list"};
  report.cause = words[bytes.ConsumeIntegralInRange(0, 3)];
  return workflows::delivery::EncodeReport(report);
}

inline workflows::Event AnyReschedule(FuzzedDataProvider& bytes) {
  workflows::delivery::Reschedule reschedule;
  if (bytes.ConsumeBool()) reschedule.slots = AnySlots(bytes);
  reschedule.payload = bytes.ConsumeBool();
  reschedule.key_id = AnyName(bytes, "lane");
  return workflows::delivery::EncodeReschedule(reschedule);
}

// What a client or an operator may send; kinds that are none among them.
inline workflows::Event AnyCommand(FuzzedDataProvider& bytes) {
  workflows::Event event;
  switch (bytes.ConsumeIntegralInRange(0, 6)) {
    case 0:
      return workflows::delivery::EncodeCancel();
    case 1:
      return workflows::delivery::EncodeBlock();
    case 2:
      return workflows::delivery::EncodeLookNow();
    case 3:
      return workflows::delivery::EncodeResolve(
          static_cast<workflows::delivery::How>(bytes.ConsumeIntegralInRange(0, 4)));
    case 4:
      return AnyReschedule(bytes);
    case 5:
      return AnySchedule(bytes);
    default:
      event.kind = bytes.ConsumeIntegralInRange<std::uint16_t>(0, 10);
      event.body = bytes.ConsumeRandomLengthString(64);
      event.effect = bytes.ConsumeIntegralInRange<std::uint32_t>(0, 3);
      return event;
  }
}

// Whatever an operator may choose; the ranges are those of the configuration.
inline workflows::delivery::Policy AnyPolicy(FuzzedDataProvider& bytes) {
  constexpr std::int64_t kDayMs = 86'400'000;
  // Short times are those that meet; the longest are where sums could overflow.
  const auto time_ms = [&](std::int64_t least_ms, std::int64_t most_ms) {
    return bytes.ConsumeIntegralInRange(least_ms, bytes.ConsumeBool() ? most_ms : least_ms + 600'000);
  };
  workflows::delivery::Policy policy;
  policy.wait_after_fail_ms = time_ms(1, 30 * kDayMs);
  policy.max_attempts = bytes.ConsumeIntegralInRange<std::uint32_t>(0, 4);
  policy.ack_send_timeout_ms = time_ms(1, 30 * kDayMs);
  policy.ack_receipt_timeout_ms = time_ms(1, 30 * kDayMs);
  policy.max_jitter_ms = time_ms(0, kDayMs);
  policy.probe_ms = time_ms(1, kDayMs);
  policy.retention_ms = time_ms(0, 3'660 * kDayMs);
  policy.on_unknown =
      bytes.ConsumeBool() ? workflows::delivery::OnUnknown::kRetry : workflows::delivery::OnUnknown::kHold;
  policy.dedupe = bytes.ConsumeBool();
  return policy;
}

}  // namespace smsflow::fuzz
