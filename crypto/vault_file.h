// Private keys in files: PEM and PKCS#12, read from their bytes and written to bytes. Who reads the file also looks
// that nobody else can (gateway/key_files.h).
//
// Plain functions, safe to use from any thread. Opening a PKCS#12 store takes about a tenth of a second. Errors are
// InvalidArgument, say the rule and never quote key, password or file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/keys.h"
#include "crypto/secret.h"

namespace smsflow::crypto {

inline constexpr std::size_t kVaultBytesMax = 1 << 20;
inline constexpr std::size_t kAliasBytesMax = 64;

struct VaultKey {
  VaultKey(PrivateKey it, std::string name = "")
      : key(std::move(it)), alias(std::move(name)) {}  // NOLINT: one is a key

  PrivateKey key;
  std::string alias;  // the friendly name in PKCS#12; empty in PEM
};

// All private keys of a file, at least one. PKCS#12 when it begins like DER, else PEM: one or more blocks of private
// keys, other blocks are skipped. `password` opens PKCS#12 and encrypted PEM; it may be empty where none is needed.
[[nodiscard]] absl::StatusOr<std::vector<VaultKey>> ReadVaultFile(std::string_view contents, const Secret& password);

// A store with one key, which Java's keytool and openssl read. `alias` is 1 to 64 bytes of UTF-8, best in lower case,
// for Java knows no other; `password` is not empty.
[[nodiscard]] absl::StatusOr<Secret> WritePkcs12(const PrivateKey& key, const std::string& alias,
                                                 const Secret& password);

}  // namespace smsflow::crypto
