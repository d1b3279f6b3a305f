#include "crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "crypto/require.h"

namespace smsflow::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Fetched once: an implicit fetch at every init takes a lock and costs more than hashing a small record.
const EVP_MD* FetchedSha256() {
  static const EVP_MD* const md = [] {
    EVP_MD* fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    Require(fetched != nullptr, "provide SHA-256");
    return fetched;
  }();
  return md;
}

EVP_MD_CTX* ThreadContext() {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context = [] {
    std::unique_ptr<EVP_MD_CTX, FreeContext> fresh(EVP_MD_CTX_new());
    Require(fresh != nullptr, "make a digest context");
    Require(EVP_DigestInit_ex(fresh.get(), FetchedSha256(), nullptr) == 1, "start a SHA-256");
    return fresh;
  }();
  return context.get();
}

}  // namespace

Digest Sha256(std::initializer_list<std::string_view> parts) {
  EVP_MD_CTX* const context = ThreadContext();
  // Without a type the context starts anew with the one it has: no fetch, no allocation.
  Require(EVP_DigestInit_ex(context, nullptr, nullptr) == 1, "start a SHA-256");
  for (const std::string_view part : parts)
    Require(EVP_DigestUpdate(context, part.data(), part.size()) == 1, "update a SHA-256");
  Digest digest;
  Require(EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1, "end a SHA-256");
  return digest;
}

Digest16 Cut(const Digest& digest) {
  Digest16 cut;
  std::copy_n(digest.begin(), cut.size(), cut.begin());
  return cut;
}

bool EqualConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace smsflow::crypto
