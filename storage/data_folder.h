// A data folder: the lock, RocksDB, meta, the index key beside it, the high-water file and the ballast.
//
//   <data>/LOCK-smsflow  flock'ed while a process has it open
//   <data>/db/           RocksDB
//   <data>/high-water    the last acknowledged sequence per shard and the last row of all: high_water.h
//   <data>/ballast       space kept for the hour in which the disk is full
//   <data>.key           32 bytes, mode 0600, made only together with a new folder; may lie elsewhere
//
// Open() refuses, with one line that says what to do: a folder of other things, one in use, a newer format, a missing
// or wrong index key, one that is there though nothing else is, a key file that others can read, another shard count
// than asked for, a missing high-water file where data is present, data that ends below its high-water mark, a log with
// damage in its midst, and a disk too full to recover on (there RocksDB would abort).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/high_water.h"
#include "storage/index_keys.h"
#include "storage/store.h"

namespace rocksdb {
class FileSystem;
}

namespace smsflow::storage {

inline constexpr std::uint32_t kFormat = 1;

struct DataFolderOptions {
  std::string path;
  std::string index_key_path;  // empty: path + ".key"
  // 0: 64 for a new folder, and what is there for an existing one; else an existing one must have just as many.
  std::uint16_t shards = 0;
  std::int64_t now_ms = 0;  // the time of making, stored with a new folder
  bool create = true;
  // A folder without data, whose index key is there already, is meant to be a new one. Else it is refused: more likely
  // the disk of the data is not mounted, and an engine without a past would take what was asked for before once more.
  bool new_folder = false;
  bool read_only = false;  // for inspection of a folder that no process has open
  bool cut_log = false;    // see RocksStoreOptions; for repair.h only
  std::uint64_t ballast_bytes = 256 << 20;
  std::uint64_t block_cache_bytes = 64 << 20;
  std::uint64_t memtable_bytes = 16 << 20;
  // Tests only: a file layer of its own for every file of the folder; null: the real one. Not owned.
  std::shared_ptr<rocksdb::FileSystem> file_system;
};

class DataFolder {
 public:
  static absl::StatusOr<std::unique_ptr<DataFolder>> Open(const DataFolderOptions& options);
  virtual ~DataFolder() = default;

  virtual Store& store() = 0;
  virtual const IndexKeys& index_keys() const = 0;
  virtual HighWater& high_water() = 0;
  virtual std::uint16_t shards() const = 0;
  virtual const std::string& uuid() const = 0;
  virtual bool created() const = 0;  // it was new
  // What of the end of its log was passed over at opening, as a sentence for whoever runs it; empty: nothing. A crash
  // leaves the like, and then nothing is lost that was acknowledged; a flipped bit in the last record may, too.
  virtual const std::string& torn_end() const = 0;

  // Bytes that are free on the folder's disk, and those that RocksDB may need at once.
  virtual absl::StatusOr<std::uint64_t> FreeBytes() const = 0;
  virtual std::uint64_t ReserveBytes() const = 0;
  virtual std::uint64_t UsedBytes() const = 0;
  // Gives the ballast back to the disk; makes it anew when there is room for it beside the reserve (else OK, and
  // nothing is done). Idempotent. Open() makes it, and gives it back when RocksDB needs the room to recover.
  virtual absl::Status ReleaseBallast() = 0;
  virtual absl::Status RestoreBallast() = 0;
  // RocksDB's own figures, by name, for metrics.
  virtual std::vector<std::pair<std::string, std::uint64_t>> Figures() const = 0;
  // Memtables to disk and full compaction; blocks. For benchmarks and before copying.
  virtual absl::Status Compact() = 0;
};

// As its siblings are named after it: without slashes at its end.
std::string NameOfFolder(std::string_view path);
// Whether repair.h may make a copy that opens, of a folder that Open() refused so.
bool RepairMayHelp(const absl::Status& opened);

}  // namespace smsflow::storage
