#include "crypto/old_envelope.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "crypto/base64url.h"
#include "crypto/envelope.h"
#include "crypto/error_mark.h"
#include "crypto/oaep.h"
#include "crypto/random.h"
#include "crypto/require.h"

namespace smsflow::crypto {
namespace {

constexpr std::uint32_t kMagic = 0x4342;  // 18 bits
constexpr int kLengthBits = 14;
constexpr std::size_t kHeadBytes = 4;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kBlock = 16;
constexpr std::string_view kFirst = "ENC";  // what the magic is in base64

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

absl::Status Malformed(std::string_view rule) {
  return absl::InvalidArgumentError(absl::StrCat("the old envelope is malformed: ", std::string(rule)));
}

absl::Status CannotOpen() {
  return absl::PermissionDeniedError("the old envelope cannot be opened with this key, or was changed");
}

const EVP_CIPHER* FetchedCfb() {
  static const EVP_CIPHER* const cipher = [] {
    EVP_CIPHER* fetched = EVP_CIPHER_fetch(nullptr, "AES-256-CFB", nullptr);
    Require(fetched != nullptr, "provide AES-256-CFB");
    return fetched;
  }();
  return cipher;
}

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

void Cfb(const Secret& key, std::string_view from, unsigned char* to, int encrypt) {
  Require(key.size() == kKeyBytes, "take a key of another length");
  std::array<unsigned char, kBlock> iv{};
  std::size_t iv_size = iv.size();
  const std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context(EVP_CIPHER_CTX_new());
  int size = 0;
  Require(EVP_Q_digest(nullptr, "MD5", nullptr, key.Reveal().data(), key.size(), iv.data(), &iv_size) == 1 && context &&
              EVP_CipherInit_ex2(context.get(), FetchedCfb(), Bytes(key.Reveal()), iv.data(), encrypt, nullptr) == 1 &&
              EVP_CipherUpdate(context.get(), to, &size, Bytes(from), static_cast<int>(from.size())) == 1,
          "run AES-256-CFB");
  OPENSSL_cleanse(iv.data(), iv.size());
}

// How many bytes of padding, 1 to 16; 0 when it is wrong. In a time that does not depend on the bytes.
std::size_t PaddingOf(std::string_view padded) {
  const std::size_t count = static_cast<unsigned char>(padded.back());
  std::size_t wrong = count == 0 || count > kBlock ? 1 : 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const std::size_t byte = static_cast<unsigned char>(padded[padded.size() - 1 - i]);
    wrong |= (i < count ? 1 : 0) & (byte != count ? 1 : 0);
  }
  return wrong != 0 ? 0 : count;
}

}  // namespace

bool LooksLikeOldEnvelope(std::string_view payload) { return payload.starts_with(kFirst); }

std::string SealOldText(const Secret& key, std::string_view plaintext) {
  const std::size_t padding = kBlock - plaintext.size() % kBlock;
  Secret padded(plaintext.size() + padding);
  std::copy(plaintext.begin(), plaintext.end(), padded.bytes().begin());
  std::fill(padded.bytes().end() - static_cast<std::ptrdiff_t>(padding), padded.bytes().end(),
            static_cast<std::uint8_t>(padding));
  std::string ciphertext(padded.size(), '\0');
  Cfb(key, padded.Reveal(), reinterpret_cast<unsigned char*>(ciphertext.data()), 1);
  return ciphertext;
}

std::optional<Secret> OpenOldText(const Secret& key, std::string_view ciphertext) {
  if (ciphertext.empty() || ciphertext.size() % kBlock != 0) return std::nullopt;
  Secret padded(ciphertext.size());
  Cfb(key, ciphertext, padded.bytes().data(), 0);
  const std::size_t padding = PaddingOf(padded.Reveal());
  if (padding == 0) return std::nullopt;
  return Secret(padded.Reveal().substr(0, padded.size() - padding));
}

absl::StatusOr<std::string> SealOldEnvelope(const PublicKey& key, std::string_view plaintext) {
  if (key.kind() != KeyKind::kRsa) return absl::InvalidArgumentError("the old envelope takes an RSA key");
  if (plaintext.size() > kEnvelopeBytesMax)
    return absl::InvalidArgumentError("cannot seal: the envelope would be larger than 16384 bytes");
  Secret content_key(kKeyBytes);
  FillRandom(content_key.bytes());
  const std::string wrapped = OaepWrap(key.get(), content_key);
  const std::uint32_t head = kMagic << kLengthBits | static_cast<std::uint32_t>(wrapped.size());
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(head >> shift & 0xff);
  bytes += wrapped;
  bytes += SealOldText(content_key, plaintext);
  std::string envelope = ToBase64(bytes);
  if (envelope.size() > kEnvelopeBytesMax)
    return absl::InvalidArgumentError("cannot seal: the envelope would be larger than 16384 bytes");
  return envelope;
}

absl::StatusOr<Secret> OpenOldEnvelope(std::span<const PrivateKey> keys, std::string_view envelope) {
  const ErrorMark mark;
  if (envelope.size() > kEnvelopeBytesMax) return Malformed("it must be at most 16384 bytes");
  const auto bytes = FromBase64(envelope);
  if (!bytes) return Malformed("it must be base64 with padding, without line breaks");
  std::string_view rest = *bytes;
  if (rest.size() < kHeadBytes) return Malformed("it must begin with a head of 4 bytes");
  std::uint32_t head = 0;
  for (const char c : rest.substr(0, kHeadBytes)) head = head << 8 | static_cast<unsigned char>(c);
  rest.remove_prefix(kHeadBytes);
  if (head >> kLengthBits != kMagic) return Malformed("its head must be that of an RSA envelope");
  const std::size_t wrapped_size = head & ((1U << kLengthBits) - 1);
  if (wrapped_size == 0 || wrapped_size > rest.size()) return Malformed("its wrapped key must be as long as it says");
  const std::string_view wrapped = rest.substr(0, wrapped_size);
  rest.remove_prefix(wrapped_size);
  if (rest.empty() || rest.size() % kBlock != 0) return Malformed("its text must be whole blocks of 16 bytes");

  Secret content_key(kKeyBytes);
  FillRandom(content_key.bytes());  // stays, when no key fits: then all goes on as if one did
  for (const PrivateKey& key : keys) {
    if (key.public_key().kind() != KeyKind::kRsa) continue;
    if (OaepUnwrap(key.get(), wrapped, content_key)) break;
  }
  auto plaintext = OpenOldText(content_key, rest);
  if (!plaintext) return CannotOpen();
  return *std::move(plaintext);
}

}  // namespace smsflow::crypto
