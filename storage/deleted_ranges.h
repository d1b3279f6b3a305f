// The ranges that a table deletes, noted in the table as a property of our own: RocksDB's interface shows them to
// nobody, and without them rows that are deleted would rise again where a store is made anew from its tables alone
// (salvage.h). An internal header of storage/.
//
//   property "smsflow.deleted-ranges" := { sequence(8) size(4) from size(4) till }*, numbers big endian
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace rocksdb {
class TablePropertiesCollectorFactory;
}

namespace smsflow::storage {

inline constexpr char kDeletedRangesProperty[] = "smsflow.deleted-ranges";

// [from, till) is deleted in all that was written before `sequence`, RocksDB's own.
struct DeletedRange {
  std::string from, till;
  std::uint64_t sequence = 0;
  bool operator==(const DeletedRange&) const = default;
};

std::string EncodeDeletedRanges(const std::vector<DeletedRange>& ranges);
// DATA_LOSS: no property of this form.
absl::StatusOr<std::vector<DeletedRange>> DecodeDeletedRanges(std::string_view property);

// Notes them in every table that is written. Thread-safe.
std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> DeletedRangesCollectors();

// For keys asked for in ascending order: what is the newest deletion that covers it.
class DeletedRangesSweep {
 public:
  explicit DeletedRangesSweep(std::vector<DeletedRange> ranges);
  // The sequence of the newest range that covers `key`; 0: none does. REQUIRES: not below the key asked for before.
  std::uint64_t Covering(std::string_view key);

 private:
  std::vector<DeletedRange> ranges_;  // by their beginnings
  std::size_t begun_ = 0;
  std::vector<std::size_t> open_;  // of those begun; at most as many as overlap
};

}  // namespace smsflow::storage
