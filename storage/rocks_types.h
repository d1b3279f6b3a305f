// Between RocksDB's types and ours: an internal header of storage/, for .cc files that include RocksDB anyway.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/slice.h"
#include "rocksdb/status.h"

namespace smsflow::storage {

inline rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
inline std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// RocksDB keeps the deleted ranges of a memtable in a list of their own, but takes the insertion hint of the rows for
// both: a hint of one list used in the other breaks it. So a range begins with a key that is known by its tail and gets
// no hint (the extractor in rocks_store.cc). A row that ends like that is only inserted without one.
inline constexpr std::string_view kRangeTail{"\0\0\0\0\0\0\0\0\0", 9};

// `doing` says what was tried, as in "open /var/lib/smsflow/db".
inline absl::Status ToStatus(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = absl::StrCat("cannot ", std::string(doing), ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(text);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(text);
  if (status.IsNotFound() || status.IsPathNotFound()) return absl::NotFoundError(text);
  // Whether files may be opened past the cache it finds out by opening one. That this failed is all that it tells;
  // nobody asked for such files.
  if (absl::StrContains(text, "Direct I/O is not supported")) return absl::InternalError(text);
  if (status.IsInvalidArgument()) return absl::InvalidArgumentError(text);
  return absl::InternalError(text);
}

// Such an error, of a disk or a table of descriptors that is full now, says nothing of what is stored.
inline bool MayPass(const absl::Status& failed) {
  return absl::IsInternal(failed) || absl::IsResourceExhausted(failed);
}

}  // namespace smsflow::storage
