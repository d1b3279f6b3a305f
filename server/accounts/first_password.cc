#include "server/accounts/first_password.h"

#include <unistd.h>

#include <iostream>

#include "absl/strings/str_cat.h"
#include "logging/logging.h"
#include "storage/owner_file.h"

namespace smsflow::server {

absl::Status ShowFirstPassword(const std::string& data, const crypto::Secret& password) {
  if (::isatty(STDERR_FILENO) == 1) {
    std::cerr << "smsflowd: made the account admin, with the password " << password.Reveal()
              << " - it is shown only now, so keep it, or set another: smsflow account password admin" << std::endl;
    return absl::OkStatus();
  }
  const std::string path = absl::StrCat(data, "/admin-password");
  // One that is there is of a first start that was cut short: its password is worth nothing.
  ::unlink(path.c_str());
  if (absl::Status status = storage::MakeOwnerFile(path, password.Reveal()); !status.ok()) return status;
  Log(LogLevel::kWarn, "made the account admin; its password stands in a file: read it, and delete the file",
      {{"file", path}});
  return absl::OkStatus();
}

}  // namespace smsflow::server
