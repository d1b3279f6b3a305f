#include "engine/ready.h"

#include <iterator>
#include <utility>

namespace smsflow::engine {
namespace {

constexpr std::size_t kRefillRows = 128;
constexpr std::size_t kHeadMax = 4 * kRefillRows;

}  // namespace

ReadyQueue::ReadyQueue(ShardId shard, storage::Lane8 lane, bool has_stored) : shard_(shard), lane_(lane) {
  if (has_stored) unread_from_ = storage::ReadyKey{shard, lane, 0, {}, 0};
}

void ReadyQueue::Add(const storage::ReadyKey& key, const storage::ReadyValue& value) {
  if (unread_from_ && key >= *unread_from_) return;
  head_.emplace(key, value);
  if (head_.size() <= kHeadMax) return;
  const auto middle = std::next(head_.begin(), static_cast<std::ptrdiff_t>(kHeadMax / 2));
  unread_from_ = middle->first;
  head_.erase(middle, head_.end());
}

absl::StatusOr<const ReadyQueue::Row*> ReadyQueue::Peek(const storage::Store& store) {
  if (head_.empty() && unread_from_) {
    if (absl::Status status = Refill(store); !status.ok()) return status;
  }
  return head_.empty() ? nullptr : &*head_.begin();
}

void ReadyQueue::Pop() { head_.erase(head_.begin()); }

absl::Status ReadyQueue::Refill(const storage::Store& store) {
  const std::string till = storage::PrefixEnd(storage::Key('r', shard_).Add(lane_).view());
  const auto cursor = store.Scan(storage::Family::kQueues, unread_from_->Encode(), till);
  for (std::size_t rows = 0; cursor->Valid(); cursor->Next(), ++rows) {
    const auto key = storage::ReadyKey::Decode(cursor->key());
    if (!key) return absl::DataLossError("ready rows of shard " + std::to_string(shard_.value) + " have a malformed key");
    if (rows == kRefillRows) {
      unread_from_ = *key;
      return absl::OkStatus();
    }
    auto value = storage::DecodeReady(cursor->value());
    if (!value.ok()) return value.status();
    head_.emplace(*key, *std::move(value));
  }
  if (cursor->status().ok()) unread_from_.reset();
  return cursor->status();
}

absl::Status ReadyQueues::Recover(const storage::Store& store, ShardId shard) {
  std::string from(storage::Key('r', shard).view());
  const std::string till = storage::PrefixEnd(from);
  while (true) {
    const auto cursor = store.Scan(storage::Family::kQueues, from, till);
    if (!cursor->Valid()) return cursor->status();
    const auto key = storage::ReadyKey::Decode(cursor->key());
    if (!key) return absl::DataLossError("ready rows of shard " + std::to_string(shard.value) + " have a malformed key");
    queues_.try_emplace(key->lane, shard, key->lane, /*has_stored=*/true);
    from = storage::PrefixEnd(storage::Key('r', shard).Add(key->lane).view());
    if (from >= till) return absl::OkStatus();
  }
}

void ReadyQueues::Add(const storage::ReadyKey& key, const storage::ReadyValue& value) {
  const auto [it, fresh] = queues_.try_emplace(key.lane, key.shard, key.lane, /*has_stored=*/false);
  it->second.Add(key, value);
}

}  // namespace smsflow::engine
