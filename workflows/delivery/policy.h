// What a tenant may choose about delivery. The defaults are those of production. Every step gets the policy of its
// moment, and the journal keeps it, so that a change never makes an old record unrepeatable.
#pragma once

#include <cstdint>

namespace smsflow::workflows::delivery {

enum class OnUnknown : std::uint8_t {  // persisted
  kHold = 0,                           // nobody can tell whether it was sent, so it is not sent again
  kRetry = 1,                          // at the risk of a second copy on the handset
};

struct Policy {
  std::int64_t wait_after_fail_ms = 10 * 60'000;          // from leaving to the next attempt
  std::uint32_t max_attempts = 0;                         // 0: as many as the slots allow
  std::int64_t ack_send_timeout_ms = 20 * 60'000;         // from leaving to UNKNOWN, if nothing was heard by then
  std::int64_t ack_receipt_timeout_ms = 25 * 3600'000LL;  // from SENT to UNCONFIRMED
  std::int64_t max_jitter_ms = 5 * 60'000;                // never beyond the slot
  std::int64_t probe_ms = 60'000;                         // silence before a gateway is asked; also the longest pause
  std::int64_t retention_ms = 90LL * 24 * 3600'000;       // from the end until everything is erased
  OnUnknown on_unknown = OnUnknown::kHold;
  bool dedupe = true;  // false: an old gateway; no probes, no guard
  bool operator==(const Policy&) const = default;
};

}  // namespace smsflow::workflows::delivery
