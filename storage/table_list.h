// RocksDB's list of its tables (the file MANIFEST-…), and the file CURRENT that names it. An internal header of
// storage/.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "rocksdb/file_system.h"

namespace smsflow::storage {

// That the file CURRENT names, in the database in `folder`; empty: it names none that is there.
std::string TableListPath(rocksdb::FileSystem& files, const std::string& folder);
// Writes CURRENT anew: it names the newest list that is there. NOT_FOUND: there is none.
absl::Status NameNewestTableList(const std::string& path);

}  // namespace smsflow::storage
