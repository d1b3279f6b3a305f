#include "storage/owner_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace smsflow::storage {
namespace {

// A rename that replaces nothing, where the file system knows it; each maker has a lock on what the file belongs to.
bool MoveToFreeName(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  return errno == EINVAL && ::rename(from.c_str(), to.c_str()) == 0;
}

}  // namespace

absl::Status MakeOwnerFile(const std::string& path, std::string_view bytes) {
  if (::access(path.c_str(), F_OK) == 0) return absl::AlreadyExistsError(absl::StrCat(path, " is there"));
  const std::string made = absl::StrCat(path, ".new");
  ::unlink(made.c_str());  // of a time that was cut short
  const int fd = ::open(made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", path));
  errno = 0;
  const bool written =
      ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && ::fsync(fd) == 0;
  const int error = errno == 0 ? ENOSPC : errno;  // a write that is short says nothing
  ::close(fd);
  if (!written || !MoveToFreeName(made, path)) {
    const absl::Status status = absl::ErrnoToStatus(written ? errno : error, absl::StrCat("cannot write ", path));
    ::unlink(made.c_str());
    return status;
  }
  return SyncDirectoryAround(path);
}

absl::Status SyncDirectory(const std::string& directory) {
  const int fd = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  return synced ? absl::OkStatus() : absl::ErrnoToStatus(error, absl::StrCat("cannot sync directory ", directory));
}

absl::Status SyncDirectoryAround(const std::string& path) {
  return SyncDirectory(std::filesystem::path(path).parent_path().string());
}

}  // namespace smsflow::storage
