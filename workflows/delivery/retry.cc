#include "workflows/delivery/retry.h"

#include <algorithm>

namespace smsflow::workflows::delivery {
namespace {

constexpr std::int64_t kGuardMostMs = 5'000;
constexpr std::int64_t kJitterBeyondMs = 60'000;
constexpr std::uint32_t kProbeDoublings = 3;  // from an eighth of probe_ms up to all of it

}  // namespace

std::int64_t GuardMs(const Slot& slot, const Policy& policy) {
  if (!policy.dedupe) return 0;
  return std::min(kGuardMostMs, (slot.till_s - slot.from_s) * 1000 / 4);
}

std::optional<Plan> FirstWindow(const Slots& slots, const Policy& policy, std::int64_t from_ms) {
  for (const Slot& slot : slots) {
    const std::int64_t deadline_ms = slot.till_s * 1000 - GuardMs(slot, policy);
    if (from_ms < deadline_ms) return Plan{std::max(from_ms, slot.from_s * 1000), deadline_ms};
  }
  return std::nullopt;
}

std::optional<Plan> OpenWindow(const Slots& slots, const Policy& policy, std::int64_t due_ms, std::int64_t now_ms) {
  if (due_ms > now_ms) return std::nullopt;
  for (const Slot& slot : slots) {
    const std::int64_t deadline_ms = slot.till_s * 1000 - GuardMs(slot, policy);
    if (slot.from_s * 1000 <= due_ms && now_ms < deadline_ms) return Plan{now_ms, deadline_ms};
  }
  return std::nullopt;
}

Plan WithJitter(Plan plan, const Policy& policy, std::uint64_t random) {
  const std::int64_t range = std::min(policy.max_jitter_ms, plan.deadline_ms - plan.due_ms);
  if (range <= 0) return plan;
  __extension__ using Wide = unsigned __int128;  // random / 2^64 * range, without a division or a bias worth naming
  plan.due_ms += static_cast<std::int64_t>((static_cast<Wide>(random) * static_cast<Wide>(range)) >> 64);
  return plan;
}

std::optional<Plan> NextAttempt(const Slots& slots, const Data& data, const Policy& policy, std::int64_t now_ms,
                                std::uint64_t random) {
  if (data.attempts == 0) {
    const auto plan = FirstWindow(slots, policy, now_ms);
    return plan && plan->due_ms > now_ms + kJitterBeyondMs ? WithJitter(*plan, policy, random) : plan;
  }
  const auto plan = FirstWindow(slots, policy, std::max(now_ms, data.left_ms + policy.wait_after_fail_ms));
  if (!plan) return std::nullopt;
  return WithJitter(*plan, policy, random);
}

std::int64_t UnknownAtMs(const Data& data, const Policy& policy) {
  return std::max(data.left_ms + policy.ack_send_timeout_ms, data.deadline_ms + policy.probe_ms);
}

bool WasAway(const Policy& policy, std::int64_t due_ms, std::int64_t now_ms) {
  return now_ms - due_ms > policy.probe_ms >> kProbeDoublings;
}

std::int64_t NextProbeMs(const Data& data, const Policy& policy, std::int64_t now_ms) {
  std::int64_t pause_ms = policy.probe_ms;
  if (data.probes > 0 && data.probes <= kProbeDoublings) pause_ms >>= kProbeDoublings + 1 - data.probes;
  return now_ms + std::max<std::int64_t>(pause_ms, 1);
}

}  // namespace smsflow::workflows::delivery
