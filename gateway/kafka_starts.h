// Which partitions of `send-sms` a gateway reads, and where it begins in each.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/kafka_link.h"
#include "ids/ids.h"
#include "kafka/client.h"

namespace smsflow::gateway {

using Starts = std::map<std::int32_t, std::int64_t>;  // offsets by partition

// Under which its offsets stand at the broker. Where nobody repeats what was skipped it is the store's own: another
// store does not know what this one has submitted.
std::string GroupOf(const KafkaLinkOptions& options, const PeerId& peer);

// In ascending order. NOT_FOUND: the topic, or one of the partitions that are asked for. Blocks for the broker, as does
// what follows.
absl::StatusOr<std::vector<std::int32_t>> FindPartitions(kafka::Admin& admin, const KafkaLinkOptions& options);

// Where `consumer`, of the gateway's own group, left off; else at the beginning. Of an old engine a new store begins
// where `old_group` stands, or at the end: what was written before may have been submitted by whoever read it then. The
// broker keeps that place before this returns, for the next process of the store.
absl::StatusOr<Starts> FindStarts(kafka::Admin& admin, kafka::Consumer& consumer, const KafkaLinkOptions& options,
                                  const std::vector<std::int32_t>& partitions);

}  // namespace smsflow::gateway
