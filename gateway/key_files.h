// The files that a gateway's private keys lie in. Only their owner may be able to read them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "crypto/vault_file.h"

namespace smsflow::gateway {

// Blocks on the disk. FAILED_PRECONDITION when others than its owner may read the file; INVALID_ARGUMENT when it is no
// regular file, or larger than a vault may be; NOT_FOUND and the like when it cannot be opened. Names the file alone.
absl::StatusOr<crypto::Secret> ReadPrivateFile(const std::string& file);

// The first line of such a file, which must not be empty. Without a name: no password.
absl::StatusOr<crypto::Secret> ReadPassword(const std::string& file);

// All keys of PEM files and PKCS#12 stores, in that order. Of a folder: what lies in it and ends in `.key.pem` or
// `.p12`, by name. `password_file` holds the one password of those that have one, in its first line; empty: none has.
absl::StatusOr<std::vector<crypto::VaultKey>> LoadKeys(const std::vector<std::string>& paths,
                                                       const std::string& password_file = "");

}  // namespace smsflow::gateway
