// The earliest rows of one range of an ordered index, in memory, refilled by bounded scans of the store. Memory does
// not grow with the index.
//
// Rows are taken from the front; those that have just become durable are added. Who takes a row asks its instance
// whether it still counts: a row that none claims any more is garbage.
//
// Not thread-safe: belongs to its shard's partition. Entries shown are good until the next call.
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/store.h"

namespace smsflow::engine {

// `Index` names a family's rows: Key with Encode() and Decode(), Value, DecodeValue(), kFamily and kName.
template <class Index>
class IndexHead {
 public:
  using Key = typename Index::Key;
  using Value = typename Index::Value;
  struct Entry {
    Key key;
    Value value;
  };

  // Rows with keys from `unread_from` on, below the encoded `till`. nullopt: the store has none.
  IndexHead(std::optional<Key> unread_from, std::string till)
      : unread_from_(std::move(unread_from)), till_(std::move(till)) {}

  // A row within the range that has just become durable. Before that it must not be added: a scan could not see it.
  void Add(const Key& key, const Value& value) {
    if (unread_from_ && key >= *unread_from_) return;  // the scan that goes on from there will find it
    head_.erase(key);
    head_.insert(Entry{key, value});
    if (head_.size() <= kHeadMax) return;
    const auto middle = std::next(head_.begin(), static_cast<std::ptrdiff_t>(kHeadMax / 2));
    unread_from_ = middle->key;
    head_.erase(middle, head_.end());
  }

  // The first row not taken, or null. May read from the store.
  absl::StatusOr<const Entry*> Peek(const storage::Store& store) {
    if (head_.empty() && unread_from_) {
      if (absl::Status status = Refill(store); !status.ok()) return status;
    }
    return head_.empty() ? nullptr : &*head_.begin();
  }
  // Not above the first row's; null: there is none. Does not read, so that row may be gone.
  const Key* FirstKnown() const {
    if (!head_.empty()) return &head_.begin()->key;
    return unread_from_ ? &*unread_from_ : nullptr;
  }
  bool NothingRead() const { return head_.empty(); }
  // Keeps no rows in memory but the first until they are asked for again.
  void Forget() {
    if (head_.size() <= 1) return;
    unread_from_ = std::next(head_.begin())->key;
    head_.erase(std::next(head_.begin()), head_.end());
  }
  // It was deleted from the store. No matter whether it has been read.
  void Remove(const Key& key) { head_.erase(key); }
  void Pop() { head_.erase(head_.begin()); }  // REQUIRES a Peek() that was not null

 private:
  static constexpr std::size_t kRefillRows = 256;
  static constexpr std::size_t kHeadMax = 4 * kRefillRows;

  struct ByKey {
    using is_transparent = void;
    static const Key& Of(const Entry& entry) { return entry.key; }
    static const Key& Of(const Key& key) { return key; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return Of(a) < Of(b);
    }
  };

  absl::Status Refill(const storage::Store& store) {
    const auto cursor = store.Scan(Index::kFamily, unread_from_->Encode(), till_);
    for (std::size_t rows = 0; cursor->Valid(); cursor->Next(), ++rows) {
      const auto key = Key::Decode(cursor->key());
      if (!key) return absl::DataLossError(std::string("a row of ") + Index::kName + " has a malformed key");
      if (rows == kRefillRows) {
        unread_from_ = *key;
        return absl::OkStatus();
      }
      auto value = Index::DecodeValue(cursor->value());
      if (!value.ok()) return value.status();
      head_.insert(head_.end(), Entry{*key, *std::move(value)});
    }
    if (cursor->status().ok()) unread_from_.reset();
    return cursor->status();
  }

  absl::btree_set<Entry, ByKey> head_;
  // Rows from here on may stand in the store without being in head_; nullopt: head_ has all.
  std::optional<Key> unread_from_;
  std::string till_;
};

}  // namespace smsflow::engine
