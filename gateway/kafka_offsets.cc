#include "gateway/kafka_offsets.h"

#include <utility>

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

bool KafkaOffsets::Open(std::int32_t partition, std::int64_t offset, const AttemptId& attempt, Asks what) {
  Open(partition, offset);
  std::vector<Place>& places = attempts_[attempt];
  bool is_new = true;
  for (Place& place : places) {
    if (place.what != what) continue;
    is_new = false;
    if (place.partition != partition) continue;
    Done(partition, std::exchange(place.offset, offset));
    return false;
  }
  places.push_back({partition, offset, what});
  return is_new;
}

void KafkaOffsets::Done(std::int32_t partition, std::int64_t offset) {
  const auto found = partitions_.find(partition);
  if (found != partitions_.end()) open_ -= found->second.open.erase(offset);
}

void KafkaOffsets::Done(const AttemptId& attempt) {
  const auto found = attempts_.find(attempt);
  if (found == attempts_.end()) return;
  for (const Place& place : found->second) Done(place.partition, place.offset);
  attempts_.erase(found);
}

std::map<std::int32_t, std::int64_t> KafkaOffsets::Positions() const {
  std::map<std::int32_t, std::int64_t> positions;
  for (const auto& [partition, one] : partitions_) {
    positions[partition] = one.open.empty() ? one.next : *one.open.begin();
  }
  return positions;
}

}  // namespace smsflow::gateway
