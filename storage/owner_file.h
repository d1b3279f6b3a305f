// Small files that are their owner's alone: the index key, the first password. With plain system calls and not through
// the file layer: they need not lie on the data's disk, and their mode counts.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace smsflow::storage {

// Mode 0600. Durable and whole when it returns OK; else, also after a power cut, it is whole or not there.
// ALREADY_EXISTS when there is such a file.
absl::Status MakeOwnerFile(const std::string& path, std::string_view bytes);
// What was made, removed or renamed in it is durable when it returns. Empty: the working directory.
absl::Status SyncDirectory(const std::string& directory);
// That in which it lies.
absl::Status SyncDirectoryAround(const std::string& path);

}  // namespace smsflow::storage
