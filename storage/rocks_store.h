// The store on disk: one RocksDB with five column families and one write-ahead log.
//
// Thread-safe. A synced write returns after fdatasync of the log. Nothing here resumes after a write that failed: the
// database then refuses every further one, and the process must end and recover.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/store.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class FileSystem;
}  // namespace rocksdb

namespace smsflow::storage {

struct LogFile;  // log_end.h

struct RocksStoreOptions {
  std::string path;
  bool create = true;
  bool read_only = false;  // changes nothing on disk; the log is read into memory
  bool cut_log = false;    // drops a damaged log from the damage on, where it would be refused: for repair only, on the
                           // real file system
  std::uint64_t block_cache_bytes = 64 << 20;
  std::uint64_t memtable_bytes = 16 << 20;
  std::shared_ptr<rocksdb::FileSystem> file_system;  // null: the real one
};

class RocksStore final : public Store {
 public:
  static absl::StatusOr<std::unique_ptr<RocksStore>> Open(const RocksStoreOptions& options);
  // What of the end of its log was passed over at opening, as a sentence for whoever runs it; empty: nothing.
  const std::string& torn_end() const;
  ~RocksStore() override;

  absl::StatusOr<std::optional<std::string>> Get(Family family, std::string_view key) const override;
  std::unique_ptr<Cursor> Scan(Family family, std::string_view from, std::string_view till,
                               bool reverse = false) const override;
  [[nodiscard]] absl::Status Write(const Batch& batch, Sync sync) override;
  std::unique_ptr<Store> Frozen() const override;

  // The number of the last row that was written, by RocksDB's count, which goes on after a start where every write is
  // synced; then this row is on the disk.
  std::uint64_t LastRow() const;
  // Memtables to disk, then everything to the last level; blocks for as long as that takes.
  [[nodiscard]] absl::Status Compact();
  std::vector<std::pair<std::string, std::uint64_t>> Figures() const;
  std::uint64_t UsedBytes() const;  // tables and log, in the state in which they are now
  // Space that RocksDB may take at once: the log to its bound, and memtables and a compaction being written.
  static std::uint64_t ReserveBytes(std::uint64_t memtable_bytes);

 private:
  struct Database;
  class FrozenStore;
  explicit RocksStore(std::unique_ptr<Database> database);
  static absl::Status CheckTablesOpen(const Database& database);
  static absl::Status CheckTablesAreNamed(const RocksStoreOptions& options);
  static absl::StatusOr<std::uint64_t> FirstLogNeeded(const RocksStoreOptions& options);
  static absl::StatusOr<std::string> CheckLogs(const RocksStoreOptions& options, const std::vector<LogFile>& logs);
  std::unique_ptr<Database> database_;
};

}  // namespace smsflow::storage
