#include "storage/store.h"

#include <array>

#include "rocksdb/comparator.h"
#include "rocksdb/db.h"
#include "rocksdb/write_batch.h"
#include "storage/rocks_types.h"

namespace smsflow::storage {
namespace {

// A batch is filled before anyone knows which database takes it, so families go by number alone. RocksStore makes sure
// at opening that the database gave them the same numbers.
class NumberedFamily final : public rocksdb::ColumnFamilyHandle {
 public:
  explicit NumberedFamily(std::uint32_t number) : number_(number) {}
  const std::string& GetName() const override { return name_; }
  std::uint32_t GetID() const override { return number_; }
  rocksdb::Status GetDescriptor(rocksdb::ColumnFamilyDescriptor*) override { return rocksdb::Status::NotSupported(); }
  const rocksdb::Comparator* GetComparator() const override { return rocksdb::BytewiseComparator(); }

 private:
  const std::string name_;
  const std::uint32_t number_;
};

rocksdb::ColumnFamilyHandle* Handle(Family family) {
  static std::array<NumberedFamily, kFamilies> handles{NumberedFamily(0), NumberedFamily(1), NumberedFamily(2),
                                                       NumberedFamily(3), NumberedFamily(4)};
  return &handles[static_cast<std::size_t>(family)];
}

class Passage final : public Store {
 public:
  explicit Passage(const Store& store) : store_(store) {}
  absl::StatusOr<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    return store_.Get(family, key);
  }
  std::unique_ptr<Cursor> Scan(Family family, std::string_view from, std::string_view till,
                               bool reverse) const override {
    return store_.Scan(family, from, till, reverse);
  }
  [[nodiscard]] absl::Status Write(const Batch&, Sync) override {
    return absl::FailedPreconditionError("a frozen store takes no writes");
  }

 private:
  const Store& store_;
};

}  // namespace

std::unique_ptr<Store> Store::Frozen() const { return std::make_unique<Passage>(*this); }

Batch::Batch() : raw_(std::make_unique<rocksdb::WriteBatch>()) {}
Batch::~Batch() = default;
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;

// These can fail only beyond 4 GB or with timestamps, neither of which we have.
void Batch::Put(Family family, std::string_view key, std::string_view value) {
  raw_->Put(Handle(family), ToSlice(key), ToSlice(value)).PermitUncheckedError();
}
void Batch::Delete(Family family, std::string_view key) {
  raw_->Delete(Handle(family), ToSlice(key)).PermitUncheckedError();
}
void Batch::DeleteRange(Family family, std::string_view from, std::string_view till) {
  if (from >= till) return;
  // The range begins just behind `from` (see kRangeTail), which goes by itself.
  Delete(family, from);
  const std::string begin = std::string(from).append(kRangeTail);
  if (begin < till) raw_->DeleteRange(Handle(family), begin, ToSlice(till)).PermitUncheckedError();
}
void Batch::Clear() { raw_->Clear(); }

std::uint32_t Batch::operations() const { return raw_->Count(); }
std::size_t Batch::bytes() const { return raw_->GetDataSize(); }

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xFF) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  return end;
}

}  // namespace smsflow::storage
