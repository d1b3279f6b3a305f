#include "storage/store.h"

#include <array>
#include <utility>

#include "rocksdb/comparator.h"
#include "rocksdb/db.h"
#include "rocksdb/write_batch.h"
#include "storage/rocks_types.h"

namespace smsflow::storage {
namespace {

constexpr std::size_t kBatchHeader = 12;

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

Batch::Batch() : parts_(std::make_unique<rocksdb::WriteBatch[]>(kFamilies)) {}
Batch::~Batch() = default;
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;

rocksdb::WriteBatch& Batch::Of(Family family) { return parts_[static_cast<std::size_t>(family)]; }

// These can fail only beyond 4 GB or with timestamps, neither of which we have.
void Batch::Put(Family family, std::string_view key, std::string_view value) {
  Of(family).Put(Handle(family), ToSlice(key), ToSlice(value)).PermitUncheckedError();
}
void Batch::Delete(Family family, std::string_view key) {
  Of(family).Delete(Handle(family), ToSlice(key)).PermitUncheckedError();
}
void Batch::DeleteRange(Family family, std::string_view from, std::string_view till) {
  // RocksDB counts a deletion of nothing when it is written and not when it is replayed, and a folder whose last row
  // that is would be refused (data_folder.cc, CheckMarks).
  if (from >= till) return;
  // The range begins just behind `from` (see kRangeTail), which goes by itself.
  Delete(family, from);
  const std::string begin = std::string(from).append(kRangeTail);
  if (begin < till) Of(family).DeleteRange(Handle(family), begin, ToSlice(till)).PermitUncheckedError();
}
void Batch::Clear() {
  for (int i = 0; i < kFamilies; ++i) parts_[static_cast<std::size_t>(i)].Clear();
}

std::uint32_t Batch::operations() const {
  std::uint32_t sum = 0;
  for (int i = 0; i < kFamilies; ++i) sum += parts_[static_cast<std::size_t>(i)].Count();
  return sum;
}
std::size_t Batch::bytes() const {
  std::size_t sum = kBatchHeader;
  for (int i = 0; i < kFamilies; ++i) sum += parts_[static_cast<std::size_t>(i)].GetDataSize() - kBatchHeader;
  return sum;
}

// A batch's bytes are a header (sequence, 8 bytes, given by the database; count, 4 bytes, little endian) and its
// operations one after the other. It is also what RocksDB's log holds, so it does not change.
rocksdb::WriteBatch Batch::Joined() const {
  std::string joined;
  joined.reserve(bytes());
  joined.assign(kBatchHeader - 4, '\0');
  const std::uint32_t count = operations();
  for (int shift = 0; shift < 32; shift += 8) joined.push_back(static_cast<char>(count >> shift));
  for (int i = 0; i < kFamilies; ++i)
    joined.append(parts_[static_cast<std::size_t>(i)].Data(), kBatchHeader, std::string::npos);
  return rocksdb::WriteBatch(std::move(joined));
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xFF) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  return end;
}

}  // namespace smsflow::storage
