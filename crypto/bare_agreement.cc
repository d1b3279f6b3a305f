#include "crypto/bare_agreement.h"

#include <openssl/evp.h>

#include "crypto/p256.h"
#include "crypto/require.h"

namespace smsflow::crypto {

BareAgreement::BareAgreement()
    : own_(EphemeralP256()),
      peer_(EphemeralP256()),
      context_(EVP_PKEY_CTX_new_from_pkey(nullptr, own_.get(), nullptr), EVP_PKEY_CTX_free) {
  Require(context_ && EVP_PKEY_derive_init(context_.get()) == 1 &&
              EVP_PKEY_derive_set_peer(context_.get(), peer_.get()) == 1,
          "make a key agreement");
}

bool BareAgreement::Agree() {
  std::size_t size = shared_.size();
  return EVP_PKEY_derive(context_.get(), shared_.data(), &size) == 1 && size == shared_.size();
}

}  // namespace smsflow::crypto
