#include "storage/file_system.h"

#include "rocksdb/file_system.h"

namespace smsflow::storage {

std::shared_ptr<rocksdb::FileSystem> DataFileSystem() { return rocksdb::FileSystem::Default(); }

}  // namespace smsflow::storage
