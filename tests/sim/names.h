// Whose SMSes there are in a run: few of each, so that they meet.
#pragma once

#include <string>

namespace smsflow::sim {

inline std::string Tenant(int pick) { return std::string(1, static_cast<char>('a' + pick)); }
inline std::string Target(int pick) { return "target" + std::to_string(pick); }
inline std::string Batch(int pick) { return "batch" + std::to_string(pick); }

}  // namespace smsflow::sim
