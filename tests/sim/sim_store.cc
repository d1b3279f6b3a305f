#include "tests/sim/sim_store.h"

#include <utility>

#include "rocksdb/write_batch.h"
#include "tests/sim/names.h"

namespace smsflow::sim {
namespace {

using storage::Family;
using storage::Sync;

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// Copies a batch operation by operation, with what a bug makes of it, and looks at what is written.
class Copier final : public rocksdb::WriteBatch::Handler {
 public:
  Copier(const Hooks& hooks, Disk& disk) : hooks_(hooks), disk_(disk) {}

  rocksdb::Status PutCF(std::uint32_t number, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    const auto family = static_cast<Family>(number);
    std::string to = key.ToString(), what = value.ToString();
    const bool kept = !hooks_.put || hooks_.put(family, to, what);
    LookForSecrets(family, to, what);
    if (kept) Half().Put(family, to, what);
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(std::uint32_t number, const rocksdb::Slice& key) override {
    const auto family = static_cast<Family>(number);
    if (!hooks_.erase || hooks_.erase(family, View(key))) Half().Delete(family, View(key));
    return rocksdb::Status::OK();
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t number, const rocksdb::Slice& from, const rocksdb::Slice& till) override {
    const auto family = static_cast<Family>(number);
    if (!hooks_.erase || hooks_.erase(family, View(from))) Half().DeleteRange(family, View(from), View(till));
    return rocksdb::Status::OK();
  }

  storage::Batch first, second;  // the second only where batches are torn

 private:
  storage::Batch& Half() {
    ++operations_;
    return hooks_.tear_batches && operations_ > 2 ? second : first;
  }
  // A payload stands in its instance's row alone; no name stands in a key.
  void LookForSecrets(Family family, std::string_view key, std::string_view value) {
    disk_.bytes_looked_at += key.size() + value.size();
    const bool head = family == Family::kInstances && key.front() == 'h';
    if (!head && value.find(kPayloadMark) != value.npos)
      disk_.findings.push_back(std::string("I17: a payload in a row of kind ") + key.front());
    for (const std::string_view name : {kTargetMark, kBatchMark, kClientKeyMark, kRequestMark, kPayloadMark})
      if (key.find(name) != key.npos)
        disk_.findings.push_back(std::string("I17: a name stands in a key of kind ") + key.front());
  }

  const Hooks& hooks_;
  Disk& disk_;
  int operations_ = 0;
};

class PassingOver final : public storage::Cursor {
 public:
  PassingOver(std::unique_ptr<storage::Cursor> below, Family family, bool reverse, const Hooks& hooks)
      : below_(std::move(below)), family_(family), reverse_(reverse), hooks_(hooks) {
    Settle();
  }
  bool Valid() const override { return below_->Valid(); }
  std::string_view key() const override { return below_->key(); }
  std::string_view value() const override { return below_->value(); }
  void Next() override {
    below_->Next();
    Settle();
  }
  absl::Status status() const override { return below_->status(); }

 private:
  void Settle() {
    while (below_->Valid() && !hooks_.seen(family_, below_->key(), reverse_)) below_->Next();
  }
  std::unique_ptr<storage::Cursor> below_;
  const Family family_;
  const bool reverse_;
  const Hooks& hooks_;
};

class Broken final : public storage::Cursor {
 public:
  explicit Broken(bool swallowed) : swallowed_(swallowed) {}
  bool Valid() const override { return false; }
  std::string_view key() const override { return {}; }
  std::string_view value() const override { return {}; }
  void Next() override {}
  absl::Status status() const override {
    return swallowed_ ? absl::OkStatus() : absl::DataLossError("the disk cannot be read");
  }

 private:
  const bool swallowed_;
};

}  // namespace

bool SimStore::ReadFails() const {
  if (disk_.read_error_in == 0 || --disk_.read_error_in != 0) return false;
  ++disk_.errors;
  on_fault_("a read fails");
  return true;
}

absl::StatusOr<std::optional<std::string>> SimStore::Get(Family family, std::string_view key) const {
  if (ReadFails()) {
    if (hooks_.swallow_read_errors) return std::optional<std::string>();
    return absl::DataLossError("the disk cannot be read");
  }
  std::string asked(key);
  if (hooks_.get_key) hooks_.get_key(family, key, asked);
  auto value = below_.Get(family, asked);
  if (hooks_.got && value.ok()) hooks_.got(family, key, *value);
  return value;
}

std::unique_ptr<storage::Cursor> SimStore::Scan(Family family, std::string_view from, std::string_view till,
                                                bool reverse) const {
  if (ReadFails()) return std::make_unique<Broken>(hooks_.swallow_read_errors);
  auto rows = below_.Scan(family, from, till, reverse);
  if (!hooks_.seen) return rows;
  return std::make_unique<PassingOver>(std::move(rows), family, reverse, hooks_);
}

absl::Status SimStore::Write(const storage::Batch& batch, Sync sync) {
  disk_.slept_ms += disk_.slow_ms;
  if (disk_.slow_ms != 0) {
    on_fault_("a sync takes long");
    clock_.Advance(std::exchange(disk_.slow_ms, 0));
    if (disk_.meanwhile) disk_.meanwhile();
  }
  const absl::Status status = WriteBelow(batch, hooks_.sync ? hooks_.sync(sync) : sync);
  return hooks_.swallow_write_errors ? absl::OkStatus() : status;
}

absl::Status SimStore::WriteBelow(const storage::Batch& batch, Sync sync) {
  const bool fails = disk_.write_error_in != 0 && --disk_.write_error_in == 0;
  if (disk_.full) {
    on_fault_("the disk fills");
    ++disk_.errors;
    return absl::ResourceExhaustedError("no space left on device");
  }
  if (fails) on_fault_(disk_.write_happens ? "a write fails and happens" : "a write fails and does not happen");
  if (fails && !disk_.write_happens) {
    ++disk_.errors;
    return absl::DataLossError("input/output error");
  }
  Copier copier(hooks_, disk_);
  if (const auto status = batch.Joined().Iterate(&copier); !status.ok()) return absl::InternalError(status.ToString());
  const bool cut = disk_.power_cut_in != 0 && --disk_.power_cut_in == 0;
  if (absl::Status status = below_.Write(copier.first, cut ? Sync::kNo : sync); !status.ok()) return status;
  if (cut) throw engine::WatchedStore::PowerCut{};
  if (hooks_.tear_batches && !fails)
    if (absl::Status status = below_.Write(copier.second, sync); !status.ok()) return status;
  if (!fails) return absl::OkStatus();
  ++disk_.errors;
  return absl::DataLossError("input/output error");
}

}  // namespace smsflow::sim
