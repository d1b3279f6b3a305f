// HighWater as a file: two slots in turn (high_water.h has the grammar). An internal header of storage/.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rocksdb/file_system.h"
#include "storage/high_water.h"

namespace smsflow::storage {

class HighWaterFile final : public HighWater {
 public:
  // Writes a file with two slots without marks, durably.
  static absl::Status Create(rocksdb::FileSystem& files, const std::string& path, std::uint16_t shards);
  // DATA_LOSS when no slot is whole, FAILED_PRECONDITION when a slot is of a newer format.
  static absl::StatusOr<std::unique_ptr<HighWaterFile>> Open(std::shared_ptr<rocksdb::FileSystem> files,
                                                             const std::string& path, bool read_only);

  void Note(ShardId shard, HighWaterMark mark) override;
  HighWaterMark Noted(ShardId shard) const override;
  HighWaterMark AtOpen(ShardId shard) const override;
  [[nodiscard]] absl::Status Save() override;

  std::uint16_t shards() const { return static_cast<std::uint16_t>(at_open_.size()); }
  bool empty() const;  // held no mark when it was opened

 private:
  struct Noting {
    mutable std::mutex mutex;  // held for a copy of 16 bytes
    HighWaterMark mark;
  };
  struct Slot;

  HighWaterFile(std::shared_ptr<rocksdb::FileSystem> files, std::string path, Slot newest, int next_slot);

  const std::shared_ptr<rocksdb::FileSystem> files_;
  const std::string path_;
  const std::vector<HighWaterMark> at_open_;
  std::vector<Noting> noted_;
  std::atomic<bool> changed_ = false;

  std::mutex saving_;
  std::unique_ptr<rocksdb::FSRandomRWFile> file_;  // null: for reading only
  std::uint64_t generation_;
  int next_slot_;
};

}  // namespace smsflow::storage
