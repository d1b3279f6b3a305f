// Between the records on Kafka and what a gateway's core speaks of, both ways. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "engine/bus.h"
#include "gateway/attempt.h"
#include "kafka/client.h"
#include "kafka/records.h"

namespace smsflow::gateway {

// For a store that this one is not; of this attempt nothing is known here, and nothing will be.
struct ForAnother {
  AttemptId attempt;
};
// Not to be read, for this reason.
struct Unread {
  absl::Status why;
};
using Asked = std::variant<engine::Lease, engine::Probe, ForAnother, Unread>;

// What a record of `send-sms` asks of the store `ours`.
Asked AskedBy(std::string_view value, std::span<const kafka::HeaderView> headers, const PeerId& ours);

kafka::Outgoing StatusOf(const Report& report, const PeerId& ours);
kafka::Announcement AnnouncementOf(const engine::PeerHello& hello, const std::vector<std::int32_t>& partitions,
                                   std::uint32_t credit, std::int64_t now_ms);

// `0-3,7` as [0, 1, 2, 3, 7]: at most 4,096, each once. INVALID_ARGUMENT names the rule.
absl::StatusOr<std::vector<std::int32_t>> ParsePartitions(std::string_view text);

}  // namespace smsflow::gateway
