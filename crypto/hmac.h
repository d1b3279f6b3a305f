// HMAC-SHA256 under one key, many times: the key's inner and outer states are computed once and kept.
//
// Thread-safe: contexts lie in a small pool inside the key, a call takes one and puts it back. At most 0.5 us for 50
// bytes once a context is warm. Nothing blocks. As with digests, an OpenSSL that cannot compute aborts the process.
#pragma once

#include <array>
#include <atomic>
#include <initializer_list>
#include <string_view>

#include "crypto/hash.h"

typedef struct evp_mac_ctx_st EVP_MAC_CTX;

namespace smsflow::crypto {

class HmacKey {
 public:
  // `key` is 1 byte or more; 32 random bytes are recommended. It is copied; wiping the caller's copy is the caller's.
  explicit HmacKey(std::string_view key);
  ~HmacKey();
  HmacKey(const HmacKey&) = delete;
  HmacKey& operator=(const HmacKey&) = delete;

  // Over all parts one after the other; where their borders matter, the caller puts lengths between them.
  Digest Mac(std::initializer_list<std::string_view> parts) const;
  Digest Mac(std::string_view bytes) const { return Mac({bytes}); }

 private:
  static constexpr std::size_t kPool = 16;

  EVP_MAC_CTX* Take() const;
  void Return(EVP_MAC_CTX* context) const;

  EVP_MAC_CTX* keyed_ = nullptr;  // never computed with, only copied
  mutable std::array<std::atomic<EVP_MAC_CTX*>, kPool> pool_{};
};

}  // namespace smsflow::crypto
