// The room that a RocksDB has on its disk, and a ballast: space kept for the hour in which the disk is full. RocksDB
// aborts the process on a full disk, also while it recovers, so whoever has one open looks here before it writes.
//
// Thread-safe, but for the ballast, which one thread at a time changes. All calls block for the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rocksdb {
class FileSystem;
}

namespace smsflow::storage {

struct DiskRoomOptions {
  std::string folder;         // there when the first call is made; its disk is looked at, and errors name it
  std::string database_path;  // RocksDB's, within the folder or the folder itself
  std::string ballast_path;
  std::uint64_t ballast_bytes = 0;  // 0: none
  std::uint64_t memtable_bytes = 16 << 20;
  std::shared_ptr<rocksdb::FileSystem> file_system;  // null: the real one
};

class DiskRoom {
 public:
  explicit DiskRoom(DiskRoomOptions options);

  // Bytes that are free on the disk, and those that RocksDB may need at once.
  absl::StatusOr<std::uint64_t> FreeBytes() const;
  std::uint64_t ReserveBytes() const;
  // While it was low, the ballast is part of what is free: room for it, and half as much again, or it would flutter.
  bool IsLow(std::uint64_t free_bytes, bool was_low) const;

  // Before a database that exists is opened: gives the ballast back when its log needs the room to become tables.
  // RESOURCE_EXHAUSTED: even so it is too little.
  absl::Status MakeRoomToRecover();
  // Idempotent. The second makes it when there is room for it beside the reserve; else OK, and nothing is done.
  absl::Status ReleaseBallast();
  absl::Status RestoreBallast();

 private:
  const DiskRoomOptions options_;
  const std::shared_ptr<rocksdb::FileSystem> files_;
};

}  // namespace smsflow::storage
