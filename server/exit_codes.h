// How smsflowd ends, for supervisors and scripts (the numbers of sysexits.h).
#pragma once

namespace smsflow::server {

inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 64;   // flags
inline constexpr int kExitFatal = 75;   // going on would be wrong, a restart may mend it: a failed write, no memory
inline constexpr int kExitConfig = 78;  // configuration or data folder: a person has to look

}  // namespace smsflow::server
