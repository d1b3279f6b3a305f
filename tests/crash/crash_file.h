// One file of the crash file system: what of it is durable, and the writes on top that are not.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "rocksdb/io_status.h"
#include "rocksdb/slice.h"

namespace smsflow::crash {

// Durable bytes lie in a real file, or in memory while the file's entry in its directory is not durable yet.
// Thread-safe.
class CrashFile {
 public:
  CrashFile() = default;
  ~CrashFile();
  CrashFile(const CrashFile&) = delete;
  CrashFile& operator=(const CrashFile&) = delete;

  // Takes over a file that is on disk already.
  rocksdb::IOStatus Adopt(const std::string& path);
  // Its entry became durable: makes the real file, with the bytes that are durable.
  rocksdb::IOStatus Link(const std::string& path);

  std::uint64_t size() const;
  rocksdb::IOStatus Append(const rocksdb::Slice& data);
  rocksdb::IOStatus Write(std::uint64_t offset, const rocksdb::Slice& data);
  rocksdb::IOStatus Truncate(std::uint64_t size);
  // What the process sees: durable bytes with the unsynced writes over them. Short at the end, as a read is.
  rocksdb::IOStatus Read(std::uint64_t offset, std::size_t count, rocksdb::Slice* result, char* buffer) const;
  rocksdb::IOStatus Sync();

 private:
  struct Unsynced {
    std::uint64_t offset = 0;
    std::string bytes;
    std::uint64_t end() const { return offset + bytes.size(); }
  };
  void WriteLocked(std::uint64_t offset, const rocksdb::Slice& data);
  rocksdb::IOStatus ReadDurable(std::uint64_t offset, std::size_t count, char* buffer) const;
  rocksdb::IOStatus WriteDurable(std::uint64_t offset, const std::string& bytes);

  mutable std::mutex mutex_;
  int fd_ = -1;          // of the real file; -1: its entry is not durable
  std::string durable_;  // instead of the real file
  std::uint64_t durable_size_ = 0;
  std::uint64_t size_ = 0;  // that the process sees
  std::vector<Unsynced> unsynced_;
};

}  // namespace smsflow::crash
