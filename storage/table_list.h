// RocksDB's list of its tables (the file MANIFEST-…), and the file CURRENT that names it. An internal header of
// storage/.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace smsflow::storage {

// Whether the file CURRENT names a list that is there; it is one line, and all else depends on it.
bool NamesTableList(const std::string& path);
// Writes CURRENT anew: it names the newest list that is there. NOT_FOUND: there is none.
absl::Status NameNewestTableList(const std::string& path);

}  // namespace smsflow::storage
