// Where the password of the first account is shown.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "crypto/secret.h"

namespace smsflow::server {

// On standard error where that is a terminal: there stands whoever started this for the first time. Else standard error
// is a log, which is kept and collected: then it goes into `<data>/admin-password`, mode 0600, durable when this
// returns, and the log tells of the file alone. Not on standard output, which scripts read. Blocks for the disk.
absl::Status ShowFirstPassword(const std::string& data, const crypto::Secret& password);

}  // namespace smsflow::server
