// A file layer on which kill -9 is a power cut: what was not synced never reaches the disk below.
//
// Unsynced bytes of a file stay in this process until the file is synced; that a file was made, renamed or deleted
// stays here until its directory is synced. So at every moment the disk below holds just what a power cut would leave,
// whoever ends the process, and however. Within the process all is visible at once, as on any file system.
//
//   file      bytes on disk | unsynced writes in memory        Sync() moves them down
//   entry     on disk       | made, renamed, deleted in memory the directory's Fsync() moves them down, in order
//
// Directories themselves are made at once. RocksDB's own log for people (LOG*) and lock files pass through.
// Thread-safe.
#pragma once

#include <memory>

#include "tests/crash/crash_faults.h"

namespace rocksdb {
class FileSystem;
}

namespace smsflow::crash {

std::shared_ptr<rocksdb::FileSystem> MakeCrashFileSystem(Faults faults = {});

}  // namespace smsflow::crash
