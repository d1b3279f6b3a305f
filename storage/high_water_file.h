// HighWater as a file: two slots in turn (high_water.h has the grammar). An internal header of storage/.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "rocksdb/file_system.h"
#include "storage/high_water.h"

namespace smsflow::storage {

class HighWaterFile final : public HighWater {
 public:
  // Writes a file with two slots without marks, durably.
  static absl::Status Create(rocksdb::FileSystem& files, const std::string& path, std::uint16_t shards);
  // Of a database that was made anew: no row is said to be acknowledged by its number any more, durably.
  static absl::Status ForgetLastRow(rocksdb::FileSystem& files, const std::string& path);
  // A file of an older format is written anew by the first Save(). DATA_LOSS when no slot is whole,
  // FAILED_PRECONDITION when a slot is of a newer format.
  static absl::StatusOr<std::unique_ptr<HighWaterFile>> Open(std::shared_ptr<rocksdb::FileSystem> files,
                                                             const std::string& path, bool read_only);

  void Note(ShardId shard, HighWaterMark mark) override;
  HighWaterMark Noted(ShardId shard) const override;
  HighWaterMark AtOpen(ShardId shard) const override;
  [[nodiscard]] absl::Status Save() override;

  // What tells the number of the last row that is synced; before the first Save() that shall keep it.
  void CountRows(std::function<std::uint64_t()> last_row) { count_rows_ = std::move(last_row); }
  std::uint64_t last_row_at_open() const { return last_row_at_open_; }

  std::uint16_t shards() const { return static_cast<std::uint16_t>(at_open_.size()); }
  bool empty() const;  // knew of nothing when it was opened

 private:
  struct Noting {
    mutable std::mutex mutex;  // held for a copy of 16 bytes
    HighWaterMark mark;
  };
  struct Slot;
  static absl::StatusOr<Slot> Newest(const std::string& path, std::string_view content);

  HighWaterFile(std::shared_ptr<rocksdb::FileSystem> files, std::string path, Slot newest);
  absl::Status WriteAnew(std::uint64_t last_row, const std::vector<HighWaterMark>& marks);

  const std::shared_ptr<rocksdb::FileSystem> files_;
  const std::string path_;
  const std::vector<HighWaterMark> at_open_;
  const std::uint64_t last_row_at_open_;
  std::function<std::uint64_t()> count_rows_;  // null: no row is ever written
  std::vector<Noting> noted_;
  std::atomic<bool> changed_ = false;

  std::mutex saving_;
  std::unique_ptr<rocksdb::FSRandomRWFile> file_;  // null: for reading only
  std::uint64_t last_row_, generation_;            // as they stand in the file
  int next_slot_;
  bool old_format_;
};

}  // namespace smsflow::storage
