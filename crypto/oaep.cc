#include "crypto/oaep.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <memory>

#include "crypto/require.h"

namespace smsflow::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_PKEY_CTX, FreeContext>;

Context OaepContext(EVP_PKEY* key, int (*init)(EVP_PKEY_CTX*, const OSSL_PARAM[])) {
  char padding[] = OSSL_PKEY_RSA_PAD_MODE_OAEP;
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, padding, 0),
                                   OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  Require(context && init(context.get(), parameters) == 1, "start RSA-OAEP");
  return context;
}

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

std::string OaepWrap(EVP_PKEY* key, const Secret& content_key) {
  const Context context = OaepContext(key, EVP_PKEY_encrypt_init_ex);
  std::string wrapped(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
  std::size_t size = wrapped.size();
  Require(EVP_PKEY_encrypt(context.get(), reinterpret_cast<unsigned char*>(wrapped.data()), &size,
                           Bytes(content_key.Reveal()), content_key.size()) == 1,
          "wrap a key");
  wrapped.resize(size);
  return wrapped;
}

bool OaepUnwrap(EVP_PKEY* key, std::string_view wrapped, Secret& content_key) {
  const Context context = OaepContext(key, EVP_PKEY_decrypt_init_ex);
  Secret opened(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = opened.size();
  if (EVP_PKEY_decrypt(context.get(), opened.bytes().data(), &size, Bytes(wrapped), wrapped.size()) != 1 ||
      size != content_key.size())
    return false;
  std::copy_n(opened.bytes().begin(), size, content_key.bytes().begin());
  return true;
}

}  // namespace smsflow::crypto
