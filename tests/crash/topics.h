// What stands in topics at the end of a run, and who has read how far. For whatever compares it with what was asked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/client.h"

namespace smsflow::crash {

kafka::ClientOptions ClientOf(const std::string& brokers);

struct TopicRecord {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string value;
};
// All of a topic so far, in order per partition; less of it when the broker does not answer in time.
std::vector<TopicRecord> ReadTopic(const std::string& brokers, std::string_view topic);

std::vector<kafka::TopicPartition> PlacesOf(std::string_view topic, int partitions);
// A consumer of the group has committed the end of each. Blocks for the broker, for some seconds at most.
bool IsReadToTheEnd(const std::string& brokers, kafka::Consumer& group,
                    const std::vector<kafka::TopicPartition>& places);

}  // namespace smsflow::crash
