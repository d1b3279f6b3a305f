// How a log of RocksDB ends: its write-ahead log, and the list of its tables, which is written in the same form.
//
//   log    := block*            of 32 KB, the last one shorter
//   block  := record* zeros     fewer than 7
//   record := checksum(4) length(2) type(1) bytes    little endian; type 1 is a whole one, 2 to 4 its first, middle and
//   last part; the checksum is of type and bytes, turned by 15 bits and with a constant added
//
// RocksDB takes several kinds of damage for the end that a crash leaves: a record that is longer than what is left of
// its file, and one of a type that it does not read, each with all behind it; and of several logs it replays the next
// one after one that ends so. It does so without a word, and deletes the logs afterwards. All that is right after a
// power cut, and loses what was acknowledged after one flipped bit, or when a file was cut. So whoever opens a database
// looks here first.
//
// What tells them apart: one flipped bit can be found, for the checksum fits once it is turned back; behind what a
// crash left no records follow up to the end of a block; and the rows of a log are numbered, so that the next log goes
// on where one ends. What passes all that, as damage of several bits in the last block may, ends before the row that
// the high-water file knows of. An internal header of storage/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/file_system.h"

namespace smsflow::storage {

enum class LogOf : std::uint8_t { kRows, kTables };

struct LogEnd {
  enum Kind {
    kWhole,
    kTorn,     // within a record, or in bytes that are none
    kDamaged,  // in its midst
  };
  Kind kind = kWhole;
  std::uint64_t whole_bytes = 0, bytes = 0;  // up to the end of the last whole record before that; all
  // Numbers of its first row, and of the one to follow its last whole record; 0: it has none. Of rows alone.
  std::uint64_t first_row = 0, next_row = 0;
};

// Reads it block by block. NOT_FOUND, or another error: it cannot be read.
absl::StatusOr<LogEnd> FindLogEnd(rocksdb::FileSystem& files, const std::string& path, LogOf of);

// The records before its end, or before what of it is damaged.
std::vector<std::string> WholeRecords(std::string_view log);

struct LogFile {
  std::uint64_t number = 0;
  std::string path;
  LogEnd end;
  absl::Status read;  // an error: it cannot be read now, and nothing is known of its end
};

// Those of the database in `folder`, in order; none where there is no folder. One that cannot be read now is among
// them: left out, it would look as if its rows were missing.
absl::StatusOr<std::vector<LogFile>> LookAtLogs(rocksdb::FileSystem& files, const std::string& folder);

// Of the logs from number `first` on the first that cannot be read now; OK: all were.
absl::Status AllWereRead(const std::vector<LogFile>& logs, std::uint64_t first);

// The first place from which on nothing can be trusted, in logs from number `first` on. REQUIRES that they were read.
struct LogDamage {
  std::size_t log = 0;  // of those given
  std::string what;     // a sentence
};
std::optional<LogDamage> FindDamage(const std::vector<LogFile>& logs, std::uint64_t first);
// A sentence that says where.
std::string Damaged(const std::string& path, const LogEnd& end);
// The last one that has any bytes; null: none has.
const LogFile* LastLog(const std::vector<LogFile>& logs);
// A sentence that says what of its end RocksDB will pass over; empty: nothing.
std::string TornEnd(const std::vector<LogFile>& logs);
// Ends them there: for copies, on the real file system.
absl::Status CutLogs(const std::vector<LogFile>& logs, const LogDamage& damage);

}  // namespace smsflow::storage
