#include "storage/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace smsflow::storage {

absl::StatusOr<std::unique_ptr<FolderLock>> FolderLock::Take(const std::string& folder, Mode mode) {
  const std::string path = absl::StrCat(folder, "/LOCK-smsflow");
  const bool writer = mode == Mode::kWriter;
  const int fd = ::open(path.c_str(), O_CLOEXEC | (writer ? O_RDWR | O_CREAT : O_RDONLY), 0600);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  auto lock = std::unique_ptr<FolderLock>(new FolderLock(fd));
  if (::flock(fd, LOCK_NB | (writer ? LOCK_EX : LOCK_SH)) == 0) return lock;
  if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock ", path));
  return absl::FailedPreconditionError(
      absl::StrCat("folder ", folder, " is in use by another process; stop that one first"));
}

FolderLock::~FolderLock() { ::close(fd_); }

}  // namespace smsflow::storage
