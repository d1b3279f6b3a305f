// How a log of RocksDB ends: its write-ahead log, and the list of its tables, which is written in the same form.
//
//   log    := block*            of 32 KB, the last one shorter
//   block  := record* zeros     fewer than 7
//   record := checksum(4) length(2) type(1) bytes    little endian; type 1 is a whole one, 2 to 4 its first, middle and
//   last part; the checksum is of type and bytes, turned by 15 bits and with a constant added
//
// RocksDB takes a record that is longer than what is left of its file for one that a crash cut off, and drops it and
// all behind it without a word. That is right after a power cut. One flipped bit in a length looks the same; but then
// whole records follow, or what is dropped was acknowledged. So whoever opens a database looks here first.
// An internal header of storage/.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "rocksdb/file_system.h"

namespace smsflow::storage {

struct LogEnd {
  enum Kind {
    kWhole,
    kTorn,     // within a record, or in bytes that are none
    kDamaged,  // a record claims more than is left of the file, and whole records follow
  };
  Kind kind = kWhole;
  std::uint64_t whole_bytes = 0, bytes = 0;  // up to the end of the last whole record before that; all
};

// Reads it block by block. NOT_FOUND, or another error: it cannot be read.
absl::StatusOr<LogEnd> FindLogEnd(rocksdb::FileSystem& files, const std::string& path);

// Of the database in `folder`.
struct LogEnds {
  bool list_is_torn = false;
  std::string
      torn_log;  // a sentence that says what of the end of its newest log RocksDB will pass over; empty: nothing
};
// DATA_LOSS: the list of its tables or, unless it will be cut there, its newest log is damaged in its midst. What
// cannot be read at all RocksDB will say.
absl::StatusOr<LogEnds> LookAtEnds(rocksdb::FileSystem& files, const std::string& folder, bool cut_log);

}  // namespace smsflow::storage
