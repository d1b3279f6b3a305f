#include "gateway/kafka_offsets.h"

namespace smsflow::gateway {

void KafkaOffsets::Begin(const std::map<std::int32_t, std::int64_t>& starts) {
  partitions_.clear();
  attempts_.clear();
  open_ = 0;
  for (const auto& [partition, offset] : starts) partitions_[partition].next = offset;
}

bool KafkaOffsets::Read(std::int32_t partition, std::int64_t offset) {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end() || offset < found->second.next) return false;
  found->second.next = offset + 1;
  return true;
}

void KafkaOffsets::Open(std::int32_t partition, std::int64_t offset) {
  const auto found = partitions_.find(partition);
  if (found != partitions_.end() && found->second.open.insert(offset).second) ++open_;
}

void KafkaOffsets::Open(std::int32_t partition, std::int64_t offset, const AttemptId& attempt) {
  Open(partition, offset);
  attempts_.emplace(attempt, Place{partition, offset});
}

void KafkaOffsets::Done(std::int32_t partition, std::int64_t offset) {
  const auto found = partitions_.find(partition);
  if (found != partitions_.end()) open_ -= found->second.open.erase(offset);
}

void KafkaOffsets::Done(const AttemptId& attempt) {
  const auto [from, till] = attempts_.equal_range(attempt);
  for (auto place = from; place != till; ++place) Done(place->second.partition, place->second.offset);
  attempts_.erase(from, till);
}

std::map<std::int32_t, std::int64_t> KafkaOffsets::Positions() const {
  std::map<std::int32_t, std::int64_t> positions;
  for (const auto& [partition, one] : partitions_) {
    positions[partition] = one.open.empty() ? one.next : *one.open.begin();
  }
  return positions;
}

}  // namespace smsflow::gateway
