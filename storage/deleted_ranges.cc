#include "storage/deleted_ranges.h"

#include <algorithm>
#include <utility>

#include "rocksdb/table_properties.h"
#include "storage/keys.h"
#include "storage/rocks_types.h"

namespace smsflow::storage {
namespace {

void AddBigEndian(std::string& to, std::uint64_t value, int width) {
  for (int i = width - 1; i >= 0; --i) to.push_back(static_cast<char>(value >> (8 * i)));
}

class Collector final : public rocksdb::TablePropertiesCollector {
 public:
  rocksdb::Status AddUserKey(const rocksdb::Slice& key, const rocksdb::Slice& value, rocksdb::EntryType type,
                             rocksdb::SequenceNumber sequence, std::uint64_t) override {
    if (type == rocksdb::kEntryRangeDeletion) ranges_.push_back({key.ToString(), value.ToString(), sequence});
    return {};
  }
  rocksdb::Status Finish(rocksdb::UserCollectedProperties* properties) override {
    (*properties)[kDeletedRangesProperty] = EncodeDeletedRanges(ranges_);
    return {};
  }
  rocksdb::UserCollectedProperties GetReadableProperties() const override {
    return {{kDeletedRangesProperty, std::to_string(ranges_.size())}};
  }
  const char* Name() const override { return kDeletedRangesProperty; }

 private:
  std::vector<DeletedRange> ranges_;
};

class Collectors final : public rocksdb::TablePropertiesCollectorFactory {
 public:
  rocksdb::TablePropertiesCollector* CreateTablePropertiesCollector(Context) override { return new Collector; }
  const char* Name() const override { return kDeletedRangesProperty; }
};

}  // namespace

std::string EncodeDeletedRanges(const std::vector<DeletedRange>& ranges) {
  std::string bytes;
  for (const DeletedRange& range : ranges) {
    AddBigEndian(bytes, range.sequence, 8);
    for (const std::string* end : {&range.from, &range.till}) {
      AddBigEndian(bytes, end->size(), 4);
      bytes += *end;
    }
  }
  return bytes;
}

absl::StatusOr<std::vector<DeletedRange>> DecodeDeletedRanges(std::string_view property) {
  std::vector<DeletedRange> ranges;
  bool whole = true;
  const auto take = [&](std::uint64_t bytes) {
    whole = whole && bytes <= property.size();
    const std::string_view taken = property.substr(0, whole ? bytes : 0);
    property.remove_prefix(taken.size());
    return taken;
  };
  while (whole && !property.empty()) {
    DeletedRange& range = ranges.emplace_back();
    range.sequence = ReadBigEndian(take(8));
    range.from = take(ReadBigEndian(take(4)));
    range.till = take(ReadBigEndian(take(4)));
  }
  if (!whole) return absl::DataLossError("the ranges that a table deletes cannot be read");
  return ranges;
}

std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> DeletedRangesCollectors() {
  return std::make_shared<Collectors>();
}

DeletedRangesSweep::DeletedRangesSweep(std::vector<DeletedRange> ranges) : ranges_(std::move(ranges)) {
  std::sort(ranges_.begin(), ranges_.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
}

std::uint64_t DeletedRangesSweep::Covering(std::string_view key) {
  while (begun_ < ranges_.size() && ranges_[begun_].from <= key) open_.push_back(begun_++);
  std::erase_if(open_, [&](std::size_t i) { return ranges_[i].till <= key; });
  std::uint64_t newest = 0;
  for (const std::size_t i : open_) newest = std::max(newest, ranges_[i].sequence);
  return newest;
}

}  // namespace smsflow::storage
