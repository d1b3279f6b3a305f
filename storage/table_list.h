// RocksDB's list of its tables (the file MANIFEST-…): a log of changes to it, which RocksDB refuses as a whole when a
// byte of it is bad. A power cut may leave its last, unsynced change with a hole. An internal header of storage/.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace smsflow::storage {

// How many of these bytes are whole records: all of them, or up to the first that is damaged or not all there.
//   log    := block*            of 32 KB, the last one shorter
//   block  := record* zeros     fewer than 7
//   record := checksum(4) length(2) type(1) bytes    little endian; type 1 is a whole one, 2 to 4 its first, middle and
//   last part; the checksum is of type and bytes, turned by 15 bits and with a constant added
std::size_t WholeBytes(std::string_view log);

// Of the database at `path`. False also where it cannot be told which file is the list.
bool TableListIsDamaged(const std::string& path);
// Cuts it behind its last whole record. Nothing that RocksDB has acted on is lost when the damage is of the last change
// alone; else tables will be missing.
absl::Status CutTableList(const std::string& path);

// Whether the file CURRENT names a list that is there; it is one line, and all else depends on it.
bool NamesTableList(const std::string& path);
// Writes CURRENT anew: it names the newest list that is there. NOT_FOUND: there is none.
absl::Status NameNewestTableList(const std::string& path);

}  // namespace smsflow::storage
