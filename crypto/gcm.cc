#include "crypto/gcm.h"

#include <openssl/evp.h>

#include <memory>

#include "crypto/require.h"

namespace smsflow::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const EVP_CIPHER* FetchedGcm() {
  static const EVP_CIPHER* const cipher = [] {
    EVP_CIPHER* fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    Require(fetched != nullptr, "provide AES-256-GCM");
    return fetched;
  }();
  return cipher;
}

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// A context keyed and fed with the additional data. The IV length is GCM's own default of 12.
Context Start(const Secret& key, std::string_view iv, std::string_view additional, int encrypt) {
  Require(key.size() == kGcmKeyBytes && iv.size() == kGcmIvBytes, "take a key or IV of another length");
  Context context(EVP_CIPHER_CTX_new());
  int size = 0;
  Require(
      context &&
          EVP_CipherInit_ex2(context.get(), FetchedGcm(), Bytes(key.Reveal()), Bytes(iv), encrypt, nullptr) == 1 &&
          EVP_CipherUpdate(context.get(), nullptr, &size, Bytes(additional), static_cast<int>(additional.size())) == 1,
      "start AES-256-GCM");
  return context;
}

}  // namespace

GcmSealed GcmSeal(const Secret& key, std::string_view iv, std::string_view additional, std::string_view plaintext) {
  const Context context = Start(key, iv, additional, 1);
  GcmSealed sealed{std::string(plaintext.size(), '\0'), std::string(kGcmTagBytes, '\0')};
  auto* const out = reinterpret_cast<unsigned char*>(sealed.ciphertext.data());
  int size = 0, last = 0;
  Require(EVP_CipherUpdate(context.get(), out, &size, Bytes(plaintext), static_cast<int>(plaintext.size())) == 1 &&
              EVP_CipherFinal_ex(context.get(), out + size, &last) == 1 &&
              EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kGcmTagBytes, sealed.tag.data()) == 1,
          "seal with AES-256-GCM");
  return sealed;
}

std::optional<Secret> GcmOpen(const Secret& key, std::string_view iv, std::string_view additional,
                              std::string_view ciphertext, std::string_view tag) {
  if (tag.size() != kGcmTagBytes) return std::nullopt;
  const Context context = Start(key, iv, additional, 0);
  Secret plaintext(ciphertext.size());
  std::string expected(tag);
  int size = 0, last = 0;
  unsigned char none = 0;
  auto* const out = ciphertext.empty() ? &none : plaintext.bytes().data();
  if (EVP_CipherUpdate(context.get(), out, &size, Bytes(ciphertext), static_cast<int>(ciphertext.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTagBytes, expected.data()) != 1 ||
      EVP_CipherFinal_ex(context.get(), out + size, &last) != 1)
    return std::nullopt;
  return plaintext;
}

}  // namespace smsflow::crypto
