#include "engine/timers.h"

#include <cassert>
#include <iterator>
#include <utility>

namespace smsflow::engine {
namespace {

constexpr std::size_t kRefillRows = 256;
constexpr std::size_t kHeadMax = 4 * kRefillRows;

}  // namespace

TimerCursor::TimerCursor(ShardId shard, std::int64_t from_ms, std::int64_t till_ms)
    : shard_(shard), till_ms_(till_ms), unread_from_(storage::TimerKey{shard, from_ms, {}, 0}) {}

void TimerCursor::Add(const Timer& timer) {
  assert(timer.key.shard == shard_ && timer.key.due_ms < till_ms_);
  if (unread_from_ && timer.key >= *unread_from_) return;  // the scan that goes on from there will find it
  head_.insert_or_assign(timer.key, timer);
  if (head_.size() <= kHeadMax) return;
  const auto middle = std::next(head_.begin(), static_cast<std::ptrdiff_t>(kHeadMax / 2));
  unread_from_ = middle->first;
  head_.erase(middle, head_.end());
}

absl::StatusOr<const Timer*> TimerCursor::Peek(const storage::Store& store) {
  if (head_.empty() && unread_from_) {
    if (absl::Status status = Refill(store); !status.ok()) return status;
  }
  return head_.empty() ? nullptr : &head_.begin()->second;
}

void TimerCursor::Pop() { head_.erase(head_.begin()); }

absl::Status TimerCursor::Refill(const storage::Store& store) {
  const storage::Key from = unread_from_->Encode();
  const std::string till = till_ms_ == kForever ? storage::PrefixEnd(storage::Key('t', shard_).view())
                                                : std::string(storage::TimerKey{shard_, till_ms_, {}, 0}.Encode());
  const auto cursor = store.Scan(storage::Family::kQueues, from, till);
  for (std::size_t rows = 0; cursor->Valid(); cursor->Next(), ++rows) {
    const auto key = storage::TimerKey::Decode(cursor->key());
    if (!key) return absl::DataLossError("timer index of shard " + std::to_string(shard_.value) + " has a malformed key");
    if (rows == kRefillRows) {
      unread_from_ = *key;
      return absl::OkStatus();
    }
    auto value = storage::DecodeTimer(cursor->value());
    if (!value.ok()) return value.status();
    head_.emplace(*key, Timer{*key, *std::move(value)});
  }
  if (cursor->status().ok()) unread_from_.reset();
  return cursor->status();
}

}  // namespace smsflow::engine
