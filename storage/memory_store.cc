#include "storage/memory_store.h"

#include <array>
#include <cassert>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rocksdb/write_batch.h"
#include "storage/rocks_types.h"

namespace smsflow::storage {
namespace {

using Value = std::optional<std::string>;  // nullopt: deleted

// A row as it was from `since` on; the last one is the present. Older ones stay only while a cursor may look at them.
struct Version {
  std::uint64_t since = 0;
  Value value;
};
using Table = std::map<std::string, std::vector<Version>, std::less<>>;

struct Change {
  std::size_t family = 0;
  std::string key;
  Value before;
};

}  // namespace

struct MemoryStore::Rows {
  mutable std::mutex mutex;
  std::array<Table, kFamilies> tables;
  std::uint64_t now = 0;
  std::multiset<std::uint64_t> snapshots;                  // of live cursors
  std::set<std::pair<std::size_t, std::string>> outdated;  // rows with more than their present version
  std::vector<std::vector<Change>> unsynced;               // how to undo each, oldest first

  const Value* At(std::size_t family, std::string_view key, std::uint64_t snapshot) const {
    const auto row = tables[family].find(key);
    return row == tables[family].end() ? nullptr : AsOf(row->second, snapshot);
  }
  static const Value* AsOf(const std::vector<Version>& versions, std::uint64_t snapshot) {
    for (auto version = versions.rbegin(); version != versions.rend(); ++version)
      if (version->since <= snapshot) return version->value ? &version->value : nullptr;
    return nullptr;
  }

  void Set(std::size_t family, std::string key, Value value, std::vector<Change>* undo) {
    auto& versions = tables[family][key];
    if (undo) undo->push_back({family, key, versions.empty() ? Value() : versions.back().value});
    if (!snapshots.empty()) outdated.emplace(family, key);
    if (snapshots.empty()) versions.clear();
    const bool gone = !value && versions.empty();
    if (gone) {
      tables[family].erase(key);
    } else {
      versions.push_back({now, std::move(value)});
    }
  }

  // With the last cursor go the versions that only cursors could see.
  void Release(std::uint64_t snapshot) {
    const std::lock_guard lock(mutex);
    snapshots.erase(snapshots.find(snapshot));
    if (!snapshots.empty()) return;
    for (const auto& [family, key] : outdated) {
      const auto row = tables[family].find(key);
      if (row == tables[family].end()) continue;
      Version present = std::move(row->second.back());
      if (!present.value) {
        tables[family].erase(row);
        continue;
      }
      row->second.clear();
      row->second.push_back(std::move(present));
    }
    outdated.clear();
  }
};

namespace {

// Applies a batch operation by operation, and notes how to undo it.
template <class Rows>
class Applier final : public rocksdb::WriteBatch::Handler {
 public:
  Applier(Rows& rows, std::vector<Change>& undo) : rows_(rows), undo_(undo) {}

  rocksdb::Status PutCF(std::uint32_t family, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    rows_.Set(family, key.ToString(), value.ToString(), &undo_);
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t family, const rocksdb::Slice& key) override {
    rows_.Set(family, key.ToString(), std::nullopt, &undo_);
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t family, const rocksdb::Slice& from, const rocksdb::Slice& till) override {
    std::vector<std::string> keys;
    const auto& table = rows_.tables[family];
    for (auto row = table.lower_bound(ToView(from)); row != table.end() && row->first < ToView(till); ++row)
      keys.push_back(row->first);
    for (std::string& key : keys) rows_.Set(family, std::move(key), std::nullopt, &undo_);
    return rocksdb::Status::OK();
  }

 private:
  Rows& rows_;
  std::vector<Change>& undo_;
};

}  // namespace

// Holds its present row as a copy, so that its views stay good whatever is written meanwhile.
class MemoryStore::MemoryCursor final : public Cursor {
 public:
  MemoryCursor(Rows& rows, Family family, std::string_view from, std::string_view till, bool reverse,
               std::optional<std::uint64_t> snapshot = std::nullopt)
      : rows_(rows), family_(static_cast<std::size_t>(family)), from_(from), till_(till), reverse_(reverse) {
    const std::lock_guard lock(rows_.mutex);
    snapshot_ = snapshot.value_or(rows_.now);
    rows_.snapshots.insert(snapshot_);
    const auto& table = rows_.tables[family_];
    if (!reverse_) {
      Settle(table.lower_bound(from_));
    } else if (const auto end = till_.empty() ? table.end() : table.lower_bound(till_); end != table.begin()) {
      Settle(std::prev(end));
    }
  }
  ~MemoryCursor() override { rows_.Release(snapshot_); }

  bool Valid() const override { return valid_; }
  std::string_view key() const override { return key_; }
  std::string_view value() const override { return value_; }
  void Next() override {
    assert(valid_);
    const std::lock_guard lock(rows_.mutex);
    valid_ = false;
    const auto& table = rows_.tables[family_];
    if (!reverse_) return Settle(table.upper_bound(key_));
    const auto here = table.lower_bound(key_);
    if (here != table.begin()) Settle(std::prev(here));
  }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  // Takes the first row from here on that is within bounds and was there when the cursor was made.
  void Settle(Table::const_iterator row) {
    const auto& table = rows_.tables[family_];
    while (row != table.end() && Within(row->first)) {
      if (const Value* value = Rows::AsOf(row->second, snapshot_)) {
        key_ = row->first;
        value_ = **value;
        valid_ = true;
        return;
      }
      if (reverse_ && row == table.begin()) return;
      row = reverse_ ? std::prev(row) : std::next(row);
    }
  }
  bool Within(const std::string& key) const { return key >= from_ && (till_.empty() || key < till_); }

  Rows& rows_;
  const std::size_t family_;
  const std::string from_, till_;
  const bool reverse_;
  std::uint64_t snapshot_ = 0;
  bool valid_ = false;
  std::string key_, value_;
};

class MemoryStore::FrozenStore final : public Store {
 public:
  explicit FrozenStore(Rows& rows) : rows_(rows) {
    const std::lock_guard lock(rows_.mutex);
    snapshot_ = rows_.now;
    rows_.snapshots.insert(snapshot_);
  }
  ~FrozenStore() override { rows_.Release(snapshot_); }
  FrozenStore(const FrozenStore&) = delete;
  FrozenStore& operator=(const FrozenStore&) = delete;

  absl::StatusOr<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    const std::lock_guard lock(rows_.mutex);
    const Value* value = rows_.At(static_cast<std::size_t>(family), key, snapshot_);
    return value ? *value : std::nullopt;
  }
  std::unique_ptr<Cursor> Scan(Family family, std::string_view from, std::string_view till,
                               bool reverse) const override {
    return std::make_unique<MemoryCursor>(rows_, family, from, till, reverse, snapshot_);
  }
  [[nodiscard]] absl::Status Write(const Batch&, Sync) override {
    return absl::FailedPreconditionError("a frozen store takes no writes");
  }

 private:
  Rows& rows_;
  std::uint64_t snapshot_ = 0;
};

MemoryStore::MemoryStore() : rows_(std::make_unique<Rows>()) {}
MemoryStore::~MemoryStore() = default;

absl::StatusOr<std::optional<std::string>> MemoryStore::Get(Family family, std::string_view key) const {
  const std::lock_guard lock(rows_->mutex);
  const Value* value = rows_->At(static_cast<std::size_t>(family), key, rows_->now);
  return value ? *value : std::nullopt;
}

std::unique_ptr<Cursor> MemoryStore::Scan(Family family, std::string_view from, std::string_view till,
                                          bool reverse) const {
  return std::make_unique<MemoryCursor>(*rows_, family, from, till, reverse);
}

std::unique_ptr<Store> MemoryStore::Frozen() const { return std::make_unique<FrozenStore>(*rows_); }

absl::Status MemoryStore::Write(const Batch& batch, Sync sync) {
  const std::lock_guard lock(rows_->mutex);
  ++rows_->now;
  std::vector<Change> undo;
  Applier<Rows> applier(*rows_, undo);
  const auto status = batch.Joined().Iterate(&applier);
  if (!status.ok()) return ToStatus(status, "apply a batch");
  if (sync == Sync::kYes) {
    rows_->unsynced.clear();
  } else {
    rows_->unsynced.push_back(std::move(undo));
  }
  return absl::OkStatus();
}

std::size_t MemoryStore::unsynced() const {
  const std::lock_guard lock(rows_->mutex);
  return rows_->unsynced.size();
}

void MemoryStore::Crash(std::size_t kept) {
  const std::lock_guard lock(rows_->mutex);
  assert(rows_->snapshots.empty() && kept <= rows_->unsynced.size());
  ++rows_->now;
  while (rows_->unsynced.size() > kept) {
    auto& changes = rows_->unsynced.back();
    for (auto change = changes.rbegin(); change != changes.rend(); ++change)
      rows_->Set(change->family, std::move(change->key), std::move(change->before), nullptr);
    rows_->unsynced.pop_back();
  }
  rows_->unsynced.clear();  // what is still there after a power cut is there for good
}

std::size_t MemoryStore::rows(Family family) const {
  const std::lock_guard lock(rows_->mutex);
  std::size_t count = 0;
  for (const auto& [key, versions] : rows_->tables[static_cast<std::size_t>(family)])
    if (versions.back().value) ++count;
  return count;
}

}  // namespace smsflow::storage
