#include "gateway/kafka_starts.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace smsflow::gateway {
namespace {

constexpr std::chrono::milliseconds kAsk(2'000);

absl::StatusOr<Starts> TakeOver(kafka::Admin& admin, const KafkaLinkOptions& options,
                                const std::vector<kafka::TopicPartition>& places) {
  std::map<kafka::TopicPartition, std::optional<std::int64_t>> before;
  if (!options.old_group.empty()) {
    auto reader = kafka::Consumer::Open(options.client, options.old_group);
    if (!reader.ok()) return reader.status();
    auto committed = (*reader)->Committed(places, kAsk);
    if (!committed.ok()) return committed.status();
    before = *std::move(committed);
  }
  Starts starts;
  for (const kafka::TopicPartition& place : places) {
    const auto ends = admin.Ends(place, kAsk);
    if (!ends.ok()) return ends.status();
    starts[place.partition] = before[place].value_or(ends->high);
  }
  return starts;
}

// Nobody repeats what was skipped: this store begins there again, however soon its process ends.
absl::Status Keep(kafka::Consumer& consumer, const Starts& starts, const std::vector<kafka::TopicPartition>& places) {
  constexpr int kTries = 20;
  constexpr std::chrono::milliseconds kBetween(100);
  std::vector<kafka::Start> kept;
  for (const kafka::TopicPartition& place : places) kept.push_back({place, starts.at(place.partition)});
  consumer.Commit(kept);
  for (int tries = 0; tries < kTries; ++tries) {
    const auto committed = consumer.Committed(places, kAsk);
    if (!committed.ok()) return committed.status();
    if (std::all_of(kept.begin(), kept.end(),
                    [&](const kafka::Start& start) { return committed->at(start.place) == start.offset; }))
      return absl::OkStatus();
    consumer.Poll(kBetween, 1);
  }
  return absl::UnavailableError("the broker does not keep where this store begins");
}

}  // namespace

std::string GroupOf(const KafkaLinkOptions& options, const PeerId& peer) {
  const std::string group = absl::StrCat("smsflow-gateway-", peer.gateway);
  return options.old_engine ? absl::StrCat(group, "-", peer.store_uuid) : group;
}

absl::StatusOr<std::vector<std::int32_t>> FindPartitions(kafka::Admin& admin, const KafkaLinkOptions& options) {
  auto topics = admin.Topics({options.send_topic, options.status_topic}, kAsk);
  if (!topics.ok()) return topics.status();
  const kafka::TopicInfo& topic = topics->front();
  if (!topic.status.ok()) return topic.status;
  // An announcement would have found out.
  if (options.old_engine && !topics->back().status.ok()) return topics->back().status;
  std::vector<std::int32_t> there;
  for (const kafka::PartitionInfo& one : topic.partitions) there.push_back(one.partition);
  std::sort(there.begin(), there.end());
  if (options.partitions.empty()) return there;
  if (!std::includes(there.begin(), there.end(), options.partitions.begin(), options.partitions.end())) {
    return absl::NotFoundError(absl::StrCat("kafka-partitions: ", options.send_topic, " has only ", there.size()));
  }
  return options.partitions;
}

absl::StatusOr<Starts> FindStarts(kafka::Admin& admin, kafka::Consumer& consumer, const KafkaLinkOptions& options,
                                  const std::vector<std::int32_t>& partitions) {
  std::vector<kafka::TopicPartition> places;
  for (const std::int32_t partition : partitions) places.push_back({options.send_topic, partition});
  const auto committed = consumer.Committed(places, kAsk);
  if (!committed.ok()) return committed.status();
  Starts starts;
  for (const auto& [place, offset] : *committed) starts[place.partition] = offset.value_or(kafka::kFromBeginning);
  const bool is_new = std::all_of(starts.begin(), starts.end(), [](const auto& one) { return one.second < 0; });
  // Of a store that has read, a partition that was added is read from its first record.
  if (!options.old_engine || !is_new) return starts;
  auto taken_over = TakeOver(admin, options, places);
  if (!taken_over.ok()) return taken_over;
  if (auto status = Keep(consumer, *taken_over, places); !status.ok()) return status;
  for (const kafka::TopicPartition& place : places)
    spdlog::warn("{} is read from offset {} on", kafka::NameOf(place), taken_over->at(place.partition));
  return taken_over;
}

}  // namespace smsflow::gateway
