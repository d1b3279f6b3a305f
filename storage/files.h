// Small files of the data folder, through the same file layer as RocksDB's own, so that a test that loses what was not
// synced loses theirs too. An internal header of storage/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/file_system.h"

namespace smsflow::storage {

absl::StatusOr<bool> FileExists(rocksdb::FileSystem& files, const std::string& path);
absl::StatusOr<std::string> ReadWholeFile(rocksdb::FileSystem& files, const std::string& path);
// Content and directory entry are durable when it returns; before, there is no file of that name, or the old one.
absl::Status WriteWholeFile(rocksdb::FileSystem& files, const std::string& path, std::string_view content);
// A file of zeros whose blocks are taken on the disk.
absl::Status WriteReservedFile(rocksdb::FileSystem& files, const std::string& path, std::uint64_t bytes);
absl::Status DeleteFileDurably(rocksdb::FileSystem& files, const std::string& path);

}  // namespace smsflow::storage
