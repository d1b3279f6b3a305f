// How smsflowd ends, for supervisors and scripts (the numbers of sysexits.h).
#pragma once

#include "absl/status/status.h"

namespace smsflow::server {

inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 64;   // flags
inline constexpr int kExitFatal = 75;   // going on would be wrong, a restart may mend it: a failed write, no memory
inline constexpr int kExitConfig = 78;  // configuration or data folder: a person has to look

// How a start ends that failed so. What may pass by itself is tried again: a supervisor starts nothing anew after
// kExitConfig, and a disk that is full, or lacks a file or memory for an hour, would leave the engine down for good.
int ExitCodeOf(const absl::Status& failed);
// What is damaged, with what a person can do about it: 'smsflow db repair', where that may help and the text does not
// say so itself. Anything else as it is.
absl::Status WithAdvice(const absl::Status& failed);

}  // namespace smsflow::server
