// Which file layer the data folder stands on: chosen when a program is linked. The product links storage_file_system,
// the real one; smsflowd-crashfs links tests/crash instead, which loses at kill -9 what was not synced.
#pragma once

#include <memory>

namespace rocksdb {
class FileSystem;
}

namespace smsflow::storage {

// For DataFolderOptions::file_system. The same object at every call; it lives as long as the process.
std::shared_ptr<rocksdb::FileSystem> DataFileSystem();

}  // namespace smsflow::storage
