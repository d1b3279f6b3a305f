// How smsflowd and smsflow-gateway end, for supervisors and scripts (the numbers of sysexits.h).
#pragma once

#include "absl/status/status.h"

namespace smsflow {

inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 64;   // flags
inline constexpr int kExitFatal = 75;   // going on would be wrong, a restart may mend it: a failed write, no memory
inline constexpr int kExitConfig = 78;  // configuration or what is stored: a person has to look

// How a start ends that failed so. What may pass by itself is tried again: a supervisor starts nothing anew after
// kExitConfig, and a disk that is full, or lacks a file or memory for an hour, would leave the process down for good.
int ExitCodeOf(const absl::Status& failed);

// The same for what fails while it runs: of that, damage alone is for a person. Started again and again, it would take
// work and let it leave until it met that once more.
int ExitCodeOfFatal(const absl::Status& failed);

}  // namespace smsflow
