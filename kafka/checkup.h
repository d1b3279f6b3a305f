// What an operator should know of the topics before it costs a message: missing, kept too shortly, acknowledged too
// cheaply, nobody there, a clock that differs. Changes nothing at the brokers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/client.h"
#include "kafka/records.h"

namespace smsflow::kafka {

enum class Verdict : std::uint8_t { kGood, kNote, kBad };

struct Finding {
  Verdict verdict = Verdict::kGood;
  std::string what;    // a topic, or a gateway
  std::string detail;  // what is so, and what to do about it
  // kBad: the class of what is wrong, UNAVAILABLE where nobody answered.
  absl::StatusCode code = absl::StatusCode::kFailedPrecondition;
  bool operator==(const Finding&) const = default;
};

inline constexpr std::int64_t kRetentionLeastMs = 86'400'000;
inline constexpr std::int64_t kRetentionGoodMs = 7 * kRetentionLeastMs;
inline constexpr std::int64_t kClockMs = 2'000;  // a gateway's clock may differ so much

// Of one topic; `configs` as the broker applies them. At least one finding, the worst first. Pure.
std::vector<Finding> JudgeTopic(const TopicInfo& topic, const std::map<std::string, std::string>& configs,
                                std::size_t brokers);
// Of an announcement that was just heard. Pure.
Finding JudgeClock(const Announcement& said, std::int64_t now_ms);

// One that only some sites need: a note where it is missing, and judged like the others where it is there. Pure.
std::vector<Finding> JudgeOptionalTopic(const TopicInfo& topic, const std::map<std::string, std::string>& configs,
                                        std::size_t brokers, std::string_view needed_for);

// What only some sites need, by topic: what for.
using OptionalTopics = std::map<std::string, std::string>;

// Asks the brokers about `topics` and `optional` ones, and listens on `status_topic` for gateways during `listen`.
// Blocks, half a minute and `listen` at most. `now_ms` is this machine's wall clock.
std::vector<Finding> CheckUp(const ClientOptions& options, const std::vector<std::string>& topics,
                             const OptionalTopics& optional, const std::string& status_topic,
                             std::chrono::milliseconds listen, const std::function<std::int64_t()>& now_ms);

// The same in words for a person, where it is that nobody answered: whom was not reached, and what to look at.
absl::Status InWords(const absl::Status& status, const ClientOptions& options);

// Makes those of `topics` that are missing, with as many copies as the brokers say and seven days of retention. OK
// also when all were there.
[[nodiscard]] absl::Status MakeTopics(const ClientOptions& options, const std::vector<std::string>& topics,
                                      std::int32_t partitions);

}  // namespace smsflow::kafka
