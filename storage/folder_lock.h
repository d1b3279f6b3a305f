// Keeps other processes out of a folder: that of the data, or of a gateway's store.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace smsflow::storage {

// Released when destroyed and when the process dies, however it dies. Readers share it among each other.
class FolderLock {
 public:
  enum class Mode { kReader, kWriter };
  // FAILED_PRECONDITION when somebody has it; NOT_FOUND when a reader finds no lock file. Does not wait.
  static absl::StatusOr<std::unique_ptr<FolderLock>> Take(const std::string& folder, Mode mode);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  const int fd_;
};

}  // namespace smsflow::storage
