#include "storage/files.h"

#include <algorithm>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/rocks_types.h"

namespace smsflow::storage {
namespace {

const rocksdb::IOOptions kIo;

absl::Status SyncDirectoryOf(rocksdb::FileSystem& files, const std::string& path) {
  const std::string directory = path.substr(0, path.find_last_of('/'));
  std::unique_ptr<rocksdb::FSDirectory> handle;
  auto status = files.NewDirectory(directory, kIo, &handle, nullptr);
  if (status.ok()) status = handle->FsyncWithDirOptions(kIo, nullptr, rocksdb::DirFsyncOptions());
  return ToStatus(status, absl::StrCat("sync directory ", directory));
}

rocksdb::IOStatus Fill(rocksdb::FSWritableFile& file, std::uint64_t bytes) {
  const std::string zeros(1 << 20, '\0');
  for (std::uint64_t left = bytes; left > 0;) {
    const std::size_t size = std::min<std::uint64_t>(left, zeros.size());
    const auto status = file.Append({zeros.data(), size}, kIo, nullptr);
    if (!status.ok()) return status;
    left -= size;
  }
  return rocksdb::IOStatus::OK();
}

rocksdb::IOStatus SyncAndClose(rocksdb::FSWritableFile& file) {
  auto status = file.Sync(kIo, nullptr);
  if (status.ok()) status = file.Close(kIo, nullptr);
  return status;
}

// RocksDB tells the error of fallocate(2) by its text alone: EOPNOTSUPP or ENOSYS.
bool IsUnknownHere(const rocksdb::IOStatus& status) {
  const std::string text = status.ToString();
  return status.IsNotSupported() || absl::StrContains(text, "not supported") ||
         absl::StrContains(text, "not implemented");
}

}  // namespace

absl::StatusOr<bool> FileExists(rocksdb::FileSystem& files, const std::string& path) {
  const auto status = ToStatus(files.FileExists(path, kIo, nullptr), absl::StrCat("look for ", path));
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  return status.ok();
}

absl::StatusOr<std::string> ReadWholeFile(rocksdb::FileSystem& files, const std::string& path) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  auto status = files.NewSequentialFile(path, {}, &file, nullptr);
  std::string content, buffer(64 << 10, '\0');
  while (status.ok()) {
    rocksdb::Slice part;
    status = file->Read(buffer.size(), kIo, &part, buffer.data(), nullptr);
    if (status.ok() && part.empty()) return content;
    content.append(part.data(), part.size());
  }
  return ToStatus(status, absl::StrCat("read ", path));
}

absl::Status WriteWholeFile(rocksdb::FileSystem& files, const std::string& path, std::string_view content) {
  const std::string made = absl::StrCat(path, ".new");
  std::unique_ptr<rocksdb::FSWritableFile> file;
  auto status = files.NewWritableFile(made, {}, &file, nullptr);
  if (status.ok()) status = file->Append(ToSlice(content), kIo, nullptr);
  if (status.ok()) status = SyncAndClose(*file);
  if (status.ok()) status = files.RenameFile(made, path, kIo, nullptr);
  if (!status.ok()) return ToStatus(status, absl::StrCat("write ", path));
  return SyncDirectoryOf(files, path);
}

absl::Status WriteReservedFile(rocksdb::FileSystem& files, const std::string& path, std::uint64_t bytes) {
  std::unique_ptr<rocksdb::FSWritableFile> file;
  auto status = files.NewWritableFile(path, {}, &file, nullptr);
  if (status.ok()) {
    // The quick way, where the disk's file system knows it; else by writing. Where it only found no room, or no quota,
    // to write would take from others what little there is.
    status = file->Allocate(0, bytes, kIo, nullptr);
    if (status.ok())
      status = file->Truncate(bytes, kIo, nullptr);
    else if (IsUnknownHere(status))
      status = Fill(*file, bytes);
  }
  if (status.ok()) status = SyncAndClose(*file);
  if (!status.ok()) {
    // What there was room for would be missing to everybody else.
    file.reset();
    files.DeleteFile(path, kIo, nullptr).PermitUncheckedError();
    return ToStatus(status, absl::StrCat("reserve ", path));
  }
  return SyncDirectoryOf(files, path);
}

absl::Status DeleteFileDurably(rocksdb::FileSystem& files, const std::string& path) {
  const auto exists = FileExists(files, path);
  if (!exists.ok() || !*exists) return exists.status();
  const auto status = files.DeleteFile(path, kIo, nullptr);
  if (!status.ok()) return ToStatus(status, absl::StrCat("delete ", path));
  return SyncDirectoryOf(files, path);
}

}  // namespace smsflow::storage
