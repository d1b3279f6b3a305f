#include "tests/crash/topics.h"

#include <chrono>
#include <optional>
#include <thread>

#include "tests/crash/patience.h"

namespace smsflow::crash {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAsk(2'000);

struct Extent {
  std::vector<kafka::Start> starts;
  std::size_t records = 0;
};
// None: the broker did not answer.
std::optional<Extent> ExtentOf(kafka::Admin& admin, std::string_view topic) {
  const auto topics = admin.Topics({std::string(topic)}, kAsk);
  if (!topics.ok() || !topics->front().status.ok()) return std::nullopt;
  Extent extent;
  for (const auto& partition : topics->front().partitions) {
    extent.starts.push_back({{std::string(topic), partition.partition}, kafka::kFromBeginning});
    const auto ends = admin.Ends(extent.starts.back().place, kAsk);
    if (!ends.ok()) return std::nullopt;
    extent.records += static_cast<std::size_t>(ends->high - ends->low);
  }
  return extent;
}

}  // namespace

kafka::ClientOptions ClientOf(const std::string& brokers) {
  return {"crash", brokers, {{"reconnect.backoff.max.ms", "500"}}};
}

std::vector<kafka::TopicPartition> PlacesOf(std::string_view topic, int partitions) {
  std::vector<kafka::TopicPartition> places;
  for (std::int32_t partition = 0; partition < partitions; ++partition)
    places.push_back({std::string(topic), partition});
  return places;
}

std::vector<TopicRecord> ReadTopic(const std::string& brokers, std::string_view topic) {
  std::vector<TopicRecord> all;
  const auto admin = kafka::Admin::Open(ClientOf(brokers));
  const auto consumer = kafka::Consumer::Open(ClientOf(brokers), "crash-reader");
  if (!admin.ok() || !consumer.ok()) return all;
  const auto start = std::chrono::steady_clock::now();
  std::optional<Extent> extent;
  while (!(extent = ExtentOf(**admin, topic)).has_value() && SinceMs(start) < Patient(20'000))
    std::this_thread::sleep_for(milliseconds(50));
  if (!extent.has_value() || !(*consumer)->Add(extent->starts).ok()) return all;
  while (all.size() < extent->records && SinceMs(start) < Patient(20'000)) {
    for (const auto& record : (*consumer)->Poll(milliseconds(100), 5'000).records)
      all.push_back({record.partition(), record.offset(), std::string(record.value())});
  }
  return all;
}

bool IsReadToTheEnd(const std::string& brokers, kafka::Consumer& group,
                    const std::vector<kafka::TopicPartition>& places) {
  const auto admin = kafka::Admin::Open(ClientOf(brokers));
  if (!admin.ok()) return false;
  const auto committed = group.Committed(places, kAsk);
  if (!committed.ok()) return false;
  for (const kafka::TopicPartition& place : places) {
    const auto ends = (*admin)->Ends(place, kAsk);
    if (!ends.ok() || (ends->high != 0 && committed->at(place).value_or(-1) < ends->high)) return false;
  }
  return true;
}

}  // namespace smsflow::crash
