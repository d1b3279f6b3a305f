#include "storage/disk_room.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/file_system.h"
#include "storage/files.h"
#include "storage/rocks_store.h"
#include "storage/rocks_types.h"

namespace smsflow::storage {
namespace {

const rocksdb::IOOptions kIo;

}  // namespace

DiskRoom::DiskRoom(DiskRoomOptions options)
    : options_(std::move(options)),
      files_(options_.file_system ? options_.file_system : rocksdb::FileSystem::Default()) {}

absl::StatusOr<std::uint64_t> DiskRoom::FreeBytes() const {
  std::uint64_t bytes = 0;
  const auto status = files_->GetFreeSpace(options_.folder, kIo, &bytes, nullptr);
  if (!status.ok()) return ToStatus(status, absl::StrCat("see the free space of ", options_.folder));
  return bytes;
}

std::uint64_t DiskRoom::ReserveBytes() const { return RocksStore::ReserveBytes(options_.memtable_bytes); }

bool DiskRoom::IsLow(std::uint64_t free_bytes, bool was_low) const {
  const std::uint64_t reserve = ReserveBytes();
  return free_bytes < (was_low ? reserve + reserve / 2 + options_.ballast_bytes : reserve);
}

absl::Status DiskRoom::MakeRoomToRecover() {
  std::vector<rocksdb::FileAttributes> children;
  const auto listed = files_->GetChildrenFileAttributes(options_.database_path, kIo, &children, nullptr);
  if (!listed.ok()) return ToStatus(listed, absl::StrCat("list ", options_.database_path));
  std::uint64_t needed = 1 << 20;
  for (const auto& child : children)
    if (absl::EndsWith(child.name, ".log")) needed += child.size_bytes;
  auto free = FreeBytes();
  if (free.ok() && *free < needed) {
    if (auto status = ReleaseBallast(); !status.ok()) return status;
    free = FreeBytes();
  }
  if (!free.ok()) return free.status();
  if (*free < needed)
    return absl::ResourceExhaustedError(absl::StrCat("the disk of ", options_.folder, " is full: ", *free,
                                                     " bytes are free, ", needed, " are needed to start"));
  return absl::OkStatus();
}

absl::Status DiskRoom::ReleaseBallast() { return DeleteFileDurably(*files_, options_.ballast_path); }

absl::Status DiskRoom::RestoreBallast() {
  if (options_.ballast_bytes == 0) return absl::OkStatus();
  std::uint64_t size = 0;
  if (files_->GetFileSize(options_.ballast_path, kIo, &size, nullptr).ok() && size == options_.ballast_bytes)
    return absl::OkStatus();
  const auto free = FreeBytes();
  if (!free.ok()) return free.status();
  // Without room for it and for what RocksDB needs, it would bring about the very hour that it is kept for.
  if (*free < options_.ballast_bytes + ReserveBytes()) return absl::OkStatus();
  return WriteReservedFile(*files_, options_.ballast_path, options_.ballast_bytes);
}

}  // namespace smsflow::storage
