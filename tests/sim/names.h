// Whose SMSes there are in a run: few of each, so that they meet. Each kind of name begins with a word that stands
// nowhere else, so that it can be searched for in what is stored.
#pragma once

#include <string>
#include <string_view>

namespace smsflow::sim {

inline constexpr std::string_view kTargetMark = "the-target-";
inline constexpr std::string_view kBatchMark = "the-batch-";
inline constexpr std::string_view kClientKeyMark = "the-client-key-";
inline constexpr std::string_view kRequestMark = "the-request-";

inline std::string Tenant(int pick) { return std::string(1, static_cast<char>('a' + pick)); }
inline std::string Target(int pick) { return std::string(kTargetMark) + std::to_string(pick); }
inline std::string Batch(int pick) { return std::string(kBatchMark) + std::to_string(pick); }
inline std::string ClientKey(const std::string& which) { return std::string(kClientKeyMark) + which; }
// An idempotency key.
inline std::string RequestKey(const std::string& sms) { return std::string(kRequestMark) + sms; }

}  // namespace smsflow::sim
