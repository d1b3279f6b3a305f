// What a gateway opens envelopes with: its private keys by kid, while they come and go.
//
// A new key is added, clients learn of it, and what was sealed for the one before still opens until that is taken away:
// Replace() puts in a whole new set at any time, and who is opening just then ends with the set it began with. Keys
// that go are wiped when the last such caller is done.
//
// Thread-safe; nothing blocks.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/keys.h"
#include "crypto/secret.h"
#include "crypto/vault_file.h"

namespace smsflow::crypto {

enum class OldEnvelopes { kRefused, kOpened };

class Vault {
  struct Keys;

 public:
  explicit Vault(OldEnvelopes old = OldEnvelopes::kRefused);
  ~Vault();
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  // A key that stands there twice counts once, under each of its aliases.
  void Replace(std::vector<VaultKey> keys);

  struct Opened {
    Secret plaintext;
    // False: it came in the old format, so anybody can have changed it. Nothing that is answered may then depend on
    // what it says, beyond that it was taken or not.
    bool authentic = true;
  };
  // What is in it at one moment. Who opens, and then asks what it could have been opened with, does both with one.
  class Snapshot {
   public:
    [[nodiscard]] absl::StatusOr<Opened> Open(std::string_view tenant, std::string_view client_key,
                                              std::string_view payload) const;
    bool Has(std::string_view kid) const;

   private:
    friend class Vault;
    Snapshot(std::shared_ptr<const Keys> keys, OldEnvelopes old);
    std::shared_ptr<const Keys> keys_;
    OldEnvelopes old_;
  };
  Snapshot Now() const;
  // For the SMS of this tenant and the client's key of it. A JWE opens with the key of its kid; an old envelope with
  // the RSA keys whose alias is the tenant, as it is or in lower case. Errors never quote anything:
  //   InvalidArgument     its form is wrong, or it was sealed for another SMS
  //   NotFound            there is no such key here
  //   FailedPrecondition  it is an old envelope, and those are refused
  //   PermissionDenied    all that depends on key and contents, in one text
  [[nodiscard]] absl::StatusOr<Opened> Open(std::string_view tenant, std::string_view client_key,
                                            std::string_view payload) const {
    return Now().Open(tenant, client_key, payload);
  }

  std::vector<std::string> kids() const;  // as Replace() had them
  bool opens_old_envelopes() const { return old_ == OldEnvelopes::kOpened; }

 private:
  const OldEnvelopes old_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Keys> keys_;
};

}  // namespace smsflow::crypto
