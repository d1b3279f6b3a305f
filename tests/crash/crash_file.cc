#include "tests/crash/crash_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace smsflow::crash {
namespace {

using rocksdb::IOStatus;

IOStatus Error(const char* doing) { return IOStatus::IOError(doing, std::strerror(errno)); }

}  // namespace

CrashFile::~CrashFile() {
  if (fd_ >= 0) ::close(fd_);
}

IOStatus CrashFile::Adopt(const std::string& path) {
  const std::lock_guard lock(mutex_);
  fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd_ < 0) return errno == ENOENT ? IOStatus::PathNotFound(path) : Error("open");
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return Error("fstat");
  durable_size_ = size_ = static_cast<std::uint64_t>(info.st_size);
  return IOStatus::OK();
}

IOStatus CrashFile::Link(const std::string& path) {
  const std::lock_guard lock(mutex_);
  // Never the old file of that name: others may still have it open.
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Error("unlink");
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd_ < 0) return Error("create");
  const std::string bytes = std::move(durable_);
  durable_.clear();
  durable_.shrink_to_fit();
  if (auto status = WriteDurable(0, bytes); !status.ok()) return status;
  return ::ftruncate(fd_, static_cast<off_t>(durable_size_)) == 0 ? IOStatus::OK() : Error("ftruncate");
}

std::uint64_t CrashFile::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

IOStatus CrashFile::Append(const rocksdb::Slice& data) {
  const std::lock_guard lock(mutex_);
  WriteLocked(size_, data);
  return IOStatus::OK();
}

IOStatus CrashFile::Write(std::uint64_t offset, const rocksdb::Slice& data) {
  const std::lock_guard lock(mutex_);
  WriteLocked(offset, data);
  return IOStatus::OK();
}

void CrashFile::WriteLocked(std::uint64_t offset, const rocksdb::Slice& data) {
  if (unsynced_.empty() || unsynced_.back().end() != offset) unsynced_.push_back({offset, {}});
  unsynced_.back().bytes.append(data.data(), data.size());
  size_ = std::max(size_, unsynced_.back().end());
}

IOStatus CrashFile::Truncate(std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (size < durable_size_) return IOStatus::NotSupported("cannot cut off what is durable");
  for (auto& write : unsynced_)
    if (write.end() > size) write.bytes.resize(size > write.offset ? size - write.offset : 0);
  std::erase_if(unsynced_, [](const Unsynced& write) { return write.bytes.empty(); });
  size_ = size;
  return IOStatus::OK();
}

IOStatus CrashFile::Read(std::uint64_t offset, std::size_t count, rocksdb::Slice* result, char* buffer) const {
  const std::lock_guard lock(mutex_);
  count = offset >= size_ ? 0 : std::min<std::uint64_t>(count, size_ - offset);
  std::memset(buffer, 0, count);
  if (auto status = ReadDurable(offset, count, buffer); !status.ok()) return status;
  for (const auto& write : unsynced_) {
    const std::uint64_t from = std::max(offset, write.offset), till = std::min(offset + count, write.end());
    if (from < till) std::memcpy(buffer + (from - offset), write.bytes.data() + (from - write.offset), till - from);
  }
  *result = rocksdb::Slice(buffer, count);
  return IOStatus::OK();
}

IOStatus CrashFile::ReadDurable(std::uint64_t offset, std::size_t count, char* buffer) const {
  if (offset >= durable_size_) return IOStatus::OK();
  count = std::min<std::uint64_t>(count, durable_size_ - offset);
  if (fd_ < 0) {
    if (offset < durable_.size())
      std::memcpy(buffer, durable_.data() + offset, std::min<std::uint64_t>(count, durable_.size() - offset));
    return IOStatus::OK();
  }
  for (std::size_t done = 0; done < count;) {
    const ssize_t got = ::pread(fd_, buffer + done, count - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno != EINTR) return Error("pread");
    if (got == 0) break;
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  return IOStatus::OK();
}

IOStatus CrashFile::WriteDurable(std::uint64_t offset, const std::string& bytes) {
  if (fd_ < 0) {
    durable_.resize(std::max<std::size_t>(durable_.size(), offset + bytes.size()));
    durable_.replace(offset, bytes.size(), bytes);
    return IOStatus::OK();
  }
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t put = ::pwrite(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (put < 0 && errno == ENOSPC) return IOStatus::NoSpace("pwrite");
    if (put < 0 && errno != EINTR) return Error("pwrite");
    if (put > 0) done += static_cast<std::size_t>(put);
  }
  return IOStatus::OK();
}

// The page cache below survives this process, so nothing needs to wait for the real disk.
IOStatus CrashFile::Sync() {
  const std::lock_guard lock(mutex_);
  for (const auto& write : unsynced_)
    if (auto status = WriteDurable(write.offset, write.bytes); !status.ok()) return status;
  unsynced_.clear();
  if (fd_ >= 0 && size_ > durable_size_ && ::ftruncate(fd_, static_cast<off_t>(size_)) != 0) return Error("ftruncate");
  durable_size_ = size_;
  return IOStatus::OK();
}

}  // namespace smsflow::crash
