// What OpenSSL itself does of an envelope's work: one agreement of two P-256 keys that are there, with a context that
// is made once, as `openssl speed ecdhp256` counts it. The limit in benchmarks of opening; nothing else uses it.
//
// Not thread-safe.
#pragma once

#include <array>
#include <memory>

typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_pkey_ctx_st EVP_PKEY_CTX;

namespace smsflow::crypto {

class BareAgreement {
 public:
  BareAgreement();
  bool Agree();  // false: OpenSSL failed

 private:
  std::shared_ptr<EVP_PKEY> own_, peer_;
  std::shared_ptr<EVP_PKEY_CTX> context_;
  std::array<unsigned char, 32> shared_{};
};

}  // namespace smsflow::crypto
