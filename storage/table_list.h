// RocksDB's list of its tables (the file MANIFEST-…), and the file CURRENT that names it. An internal header of
// storage/.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/file_system.h"

namespace smsflow::storage {

// That the file CURRENT names, in the database in `folder`; empty: it names none that is there. An error: CURRENT is
// there and cannot be read now.
absl::StatusOr<std::string> TableListPath(rocksdb::FileSystem& files, const std::string& folder);
// Writes CURRENT anew: it names the newest list that is there. NOT_FOUND: there is none.
absl::Status NameNewestTableList(const std::string& path);

// What the list that CURRENT names still says before its damage: files that stand there only because a crash kept them
// from being deleted, or brought them back. Nothing, where there is none. An error: it cannot be read now.
struct OldFiles {
  std::set<std::uint64_t> tables;  // a compaction replaced them
  std::uint64_t first_log = 0;     // the rows of those before it are in tables
};
absl::StatusOr<OldFiles> FindOldFiles(rocksdb::FileSystem& files, const std::string& folder);

}  // namespace smsflow::storage
