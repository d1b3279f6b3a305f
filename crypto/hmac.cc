#include "crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "crypto/require.h"

namespace smsflow::crypto {
namespace {

// Each thread prefers a slot of its own, so that threads do not fight over one cache line's context.
std::size_t PreferredSlot() {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

EVP_MAC_CTX* NewContext(std::string_view key) {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  Require(mac != nullptr, "provide HMAC");
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
  EVP_MAC_free(mac);
  Require(context != nullptr, "make an HMAC context");
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  Require(EVP_MAC_init(context, reinterpret_cast<const unsigned char*>(key.data()), key.size(), parameters) == 1,
          "start an HMAC");
  return context;
}

}  // namespace

HmacKey::HmacKey(std::string_view key) {
  Require(!key.empty(), "key an HMAC with an empty key");
  keyed_ = NewContext(key);
}

HmacKey::~HmacKey() {
  for (auto& slot : pool_) EVP_MAC_CTX_free(slot.load(std::memory_order_acquire));
  EVP_MAC_CTX_free(keyed_);
}

EVP_MAC_CTX* HmacKey::Take() const {
  auto& slot = pool_[PreferredSlot() % kPool];
  if (EVP_MAC_CTX* const pooled = slot.exchange(nullptr, std::memory_order_acquire)) return pooled;
  EVP_MAC_CTX* const copy = EVP_MAC_CTX_dup(keyed_);
  Require(copy != nullptr, "copy an HMAC context");
  return copy;
}

void HmacKey::Return(EVP_MAC_CTX* context) const {
  auto& slot = pool_[PreferredSlot() % kPool];
  EVP_MAC_CTX* empty = nullptr;
  if (!slot.compare_exchange_strong(empty, context, std::memory_order_release)) EVP_MAC_CTX_free(context);
}

Digest HmacKey::Mac(std::initializer_list<std::string_view> parts) const {
  EVP_MAC_CTX* const context = Take();
  // Without a key the context starts anew with the one it has.
  Require(EVP_MAC_init(context, nullptr, 0, nullptr) == 1, "start an HMAC");
  for (const std::string_view part : parts)
    Require(EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(part.data()), part.size()) == 1,
            "update an HMAC");
  Digest digest;
  std::size_t size = 0;
  Require(EVP_MAC_final(context, digest.data(), &size, digest.size()) == 1 && size == digest.size(), "end an HMAC");
  Return(context);
  return digest;
}

}  // namespace smsflow::crypto
