// Between the records on Kafka and what a gateway's core speaks of, both ways. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "engine/bus.h"
#include "gateway/attempt.h"
#include "gateway/link.h"
#include "kafka/client.h"
#include "kafka/records.h"

namespace smsflow::gateway {

// For a store that this one is not; of this attempt nothing is known here, and nothing will be.
struct ForAnother {
  AttemptId attempt;
};
// Not to be taken up, and this is to be said of it.
struct Refused {
  kafka::Outgoing status;
};
// Not to be read, for this reason.
struct Unread {
  absl::Status why;
};
using Asked = std::variant<Lease, engine::Probe, ForAnother, Refused, Unread>;

// Whom a gateway serves.
struct Served {
  PeerId peer;                       // as whom
  std::vector<std::string> tenants;  // of an old engine; others know it by the announcement
  bool old_engine = false;           // also one that has no attempts of its own
};

// What a record of `send-sms` asks.
Asked AskedBy(const kafka::Record& record, const Served& served, std::int64_t now_ms);

// An engine that has no attempts of its own writes one correl-id for all its tries of an SMS; each is a record, so its
// place makes the attempt: the same record is the same attempt, however often it is read.
AttemptId AttemptOf(std::string_view correl_id, const kafka::TopicPartition& place, std::int64_t offset);

kafka::Outgoing StatusOf(const Report& report, const PeerId& ours);
kafka::Announcement AnnouncementOf(const engine::PeerHello& hello, const std::vector<std::int32_t>& partitions,
                                   std::uint32_t credit, std::int64_t now_ms);

// `0-3,7` as [0, 1, 2, 3, 7]: at most 4,096, each once. INVALID_ARGUMENT names the rule.
absl::StatusOr<std::vector<std::int32_t>> ParsePartitions(std::string_view text);

}  // namespace smsflow::gateway
