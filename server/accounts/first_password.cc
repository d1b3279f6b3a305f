#include "server/accounts/first_password.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "logging/logging.h"

namespace smsflow::server {
namespace {

absl::Status WriteForOwnerAlone(const std::string& path, std::string_view line) {
  // One that is there is of a first start that was cut short: its password is worth nothing.
  ::unlink(path.c_str());
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", path));
  absl::Status status;
  if (::write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size()) || ::fsync(fd) != 0)
    status = absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  ::close(fd);
  return status;
}

}  // namespace

absl::Status ShowFirstPassword(const std::string& data, const crypto::Secret& password) {
  if (::isatty(STDERR_FILENO) == 1) {
    std::cerr << "smsflowd: made the account admin, with the password " << password.Reveal()
              << " - it is shown only now, so keep it, or set another: smsflow account password admin" << std::endl;
    return absl::OkStatus();
  }
  const std::string path = absl::StrCat(data, "/admin-password");
  if (absl::Status status = WriteForOwnerAlone(path, password.Reveal()); !status.ok()) return status;
  Log(LogLevel::kWarn, "made the account admin; its password stands in a file: read it, and delete the file",
      {{"file", path}});
  return absl::OkStatus();
}

}  // namespace smsflow::server
