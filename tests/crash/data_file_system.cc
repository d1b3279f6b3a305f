// Linked in place of storage/file_system.cc: makes of smsflowd one that loses at kill -9 what it did not sync.
#include "storage/file_system.h"
#include "tests/crash/crash_file_system.h"

namespace smsflow::storage {

std::shared_ptr<rocksdb::FileSystem> DataFileSystem() {
  static const auto files = crash::MakeCrashFileSystem(crash::Faults::FromEnvironment());
  return files;
}

}  // namespace smsflow::storage
