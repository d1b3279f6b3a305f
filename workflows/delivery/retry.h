// When an attempt may leave: windows, jitter, the wait after a failure.
//
// A window is a slot less its guard: the time in which an attempt may leave and be submitted. The guard keeps what
// leaves at the last moment from arriving after the slot.
#pragma once

#include <cstdint>
#include <optional>

#include "workflows/delivery/policy.h"
#include "workflows/delivery/state.h"

namespace smsflow::workflows::delivery {

struct Plan {
  std::int64_t due_ms = 0;
  std::int64_t deadline_ms = 0;  // the window's end: the slot's end less the guard
  bool operator==(const Plan&) const = default;
};

// min(5 s, a quarter of the slot); 0 for a gateway of the old kind.
std::int64_t GuardMs(const Slot& slot, const Policy& policy);

// The earliest instant at or after `from_ms` that lies in a window.
std::optional<Plan> FirstWindow(const Slots& slots, const Policy& policy, std::int64_t from_ms);

// The window in which both `due_ms` and `now_ms` lie, as a plan that is due now; nullopt when there is none.
std::optional<Plan> OpenWindow(const Slots& slots, const Policy& policy, std::int64_t due_ms, std::int64_t now_ms);

// Delays it by less than min(max_jitter, what is left of the window), uniformly; `random` are 64 uniform bits.
Plan WithJitter(Plan plan, const Policy& policy, std::uint64_t random);

// The next attempt of an SMS with this data: at once or in the next window if none has left yet, with jitter only when
// that is more than a minute away; else not before wait_after_fail after the last one left, always with jitter.
// nullopt: no slot is left.
std::optional<Plan> NextAttempt(const Slots& slots, const Data& data, const Policy& policy, std::int64_t now_ms,
                                std::uint64_t random);

// When an attempt without an answer becomes UNKNOWN.
std::int64_t UnknownAtMs(const Data& data, const Policy& policy);

// Whether a timer that was due at `due_ms` and fires now says that the engine was away meanwhile: then no gateway could
// answer, and each is to have a whole probe_ms to find the engine again.
bool WasAway(const Policy& policy, std::int64_t due_ms, std::int64_t now_ms);

// When its gateway is asked next, after `data.probes` questions since the deadline: soon at first, then every probe_ms.
std::int64_t NextProbeMs(const Data& data, const Policy& policy, std::int64_t now_ms);

}  // namespace smsflow::workflows::delivery
