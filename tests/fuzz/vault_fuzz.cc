// Files with keys, private and public, damaged or made up. What is read is written again as the same keys.
#include <string>

#include "crypto/jwks.h"
#include "crypto/vault_file.h"
#include "tests/fuzz/fuzz.h"

namespace crypto = smsflow::crypto;
using smsflow::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const crypto::Secret password(std::string_view("x"));
  const std::string_view contents = smsflow::fuzz::View(data, size);
  const bool is_store = contents.starts_with('0');
  const auto vault = crypto::ReadVaultFile(contents, is_store ? crypto::Secret(password.Reveal()) : crypto::Secret());
  if (vault.ok()) {
    for (const crypto::VaultKey& entry : *vault) {
      const auto again = crypto::PrivateKey::FromPem(entry.key.ToPem().Reveal());
      Require(again.ok() && again->kid() == entry.key.kid(), "a private key is the same when it is written again");
    }
  } else {
    Require(vault.status().message().size() < 200, "an error does not repeat what was read");
  }
  const auto published = crypto::ReadPublicKeys(contents);
  if (published.ok()) {
    const std::string written = crypto::WriteJwks(*published);
    const auto again = crypto::ReadJwks(written);
    Require(again.ok() && crypto::WriteJwks(*again) == written, "a set is the same when it is written again");
    Require(written.find("\"d\"") == std::string::npos, "nothing private is published");
  } else {
    Require(published.status().message().size() < 200, "an error does not repeat what was read");
  }
  return 0;
}
