// The file with the 32 bytes under which names are hashed; it lies outside the data folder. An internal header of
// storage/. It is read and made with plain system calls and not through the file layer: it belongs to another disk, and
// its mode counts.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/secret.h"

namespace smsflow::storage {

// NOT_FOUND; FAILED_PRECONDITION when others than the owner can read or write it, or it is not 32 bytes.
absl::StatusOr<crypto::Secret> ReadIndexKey(const std::string& path);
// Random bytes, mode 0600, durable when it returns; one that is there is whole. ALREADY_EXISTS when there is a file.
absl::Status MakeIndexKey(const std::string& path);

}  // namespace smsflow::storage
