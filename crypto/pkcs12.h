// PKCS#12 stores (RFC 7292), as Java's keytool and `openssl pkcs12` make them: an internal header of crypto/.
#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/secret.h"
#include "crypto/vault_file.h"

namespace smsflow::crypto {

// Every private key in the store, with its friendly name. Certificates are not looked at: also those under ciphers that
// are no longer provided do no harm. One password for the store and its keys.
[[nodiscard]] absl::StatusOr<std::vector<VaultKey>> ReadPkcs12(std::string_view store, const Secret& password);

}  // namespace smsflow::crypto
