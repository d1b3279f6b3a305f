#include "crypto/keys.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "crypto/base64url.h"
#include "crypto/error_mark.h"
#include "crypto/hash.h"
#include "crypto/json_object.h"
#include "crypto/p256.h"
#include "crypto/require.h"

namespace smsflow::crypto {
namespace {

constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 4096;
constexpr std::size_t kRsaBitsMade = 3072;
constexpr std::size_t kPemBytesMax = 64 * 1024;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
struct FreeBn {
  void operator()(BIGNUM* number) const { BN_free(number); }
};
using Bn = std::unique_ptr<BIGNUM, FreeBn>;

std::shared_ptr<EVP_PKEY> Own(EVP_PKEY* key) { return {key, EVP_PKEY_free}; }

// An encrypted PEM must be an error: OpenSSL's own answer is to ask on the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

int GivePassword(char* to, int size, int, void* password) {
  const std::string_view given = static_cast<Secret*>(password)->Reveal();
  if (given.empty() || given.size() > static_cast<std::size_t>(size)) return -1;
  given.copy(to, given.size());
  return static_cast<int>(given.size());
}

std::string_view Contents(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// A public number of the key, big-endian in base64url; `size` 0 means as short as it gets.
std::string Number(EVP_PKEY* key, const char* name, int size) {
  BIGNUM* raw = nullptr;
  Require(EVP_PKEY_get_bn_param(key, name, &raw) == 1, "read a public key");
  const Bn number(raw);
  std::string bytes(static_cast<std::size_t>(size == 0 ? BN_num_bytes(raw) : size), '\0');
  Require(BN_bn2binpad(raw, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) > 0,
          "write a public key");
  return ToBase64Url(bytes);
}

// The members that RFC 7638 hashes, in its order, without the closing brace.
std::string RequiredMembers(EVP_PKEY* key, KeyKind kind) {
  if (kind == KeyKind::kRsa)
    return absl::StrCat("{\"e\":\"", Number(key, OSSL_PKEY_PARAM_RSA_E, 0), "\",\"kty\":\"RSA\",\"n\":\"",
                        Number(key, OSSL_PKEY_PARAM_RSA_N, 0), "\"");
  return absl::StrCat("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"", Number(key, OSSL_PKEY_PARAM_EC_PUB_X, 32),
                      "\",\"y\":\"", Number(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32), "\"");
}

std::shared_ptr<EVP_PKEY> RsaFromNumbers(const std::string& n_bytes, const std::string& e_bytes) {
  const auto number = [](const std::string& bytes) {
    return Bn(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
  };
  const Bn n = number(n_bytes), e = number(e_bytes);
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder(OSSL_PARAM_BLD_new(),
                                                                                OSSL_PARAM_BLD_free);
  Require(n && e && builder && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
              OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1,
          "build key parameters");
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters(OSSL_PARAM_BLD_to_param(builder.get()),
                                                                           OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), EVP_PKEY_CTX_free);
  Require(context && EVP_PKEY_fromdata_init(context.get()) == 1, "make a key from data");
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) return nullptr;
  return Own(key);
}

absl::Status NotAJwk(std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("not a public JWK: ", std::string(why)));
}

}  // namespace

absl::StatusOr<PublicKey> PublicKey::Check(std::shared_ptr<EVP_PKEY> key) {
  PublicKey checked;
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key.get());
    if (bits < kRsaBitsMin || bits > kRsaBitsMax)
      return absl::InvalidArgumentError(
          absl::StrCat("RSA keys must have ", kRsaBitsMin, " to ", kRsaBitsMax, " bits; this one has ", bits));
    checked.kind_ = KeyKind::kRsa;
  } else if (!IsP256(key.get())) {
    return absl::InvalidArgumentError("a key must be P-256 or RSA; this one is neither");
  }
  checked.kid_ = ToBase64Url(AsView(Sha256(RequiredMembers(key.get(), checked.kind_), "}")));
  checked.key_ = std::move(key);
  return checked;
}

absl::StatusOr<PublicKey> PublicKey::FromPem(std::string_view pem) {
  const ErrorMark mark;
  if (pem.size() > kPemBytesMax) return absl::InvalidArgumentError("a public key file must be at most 64 KB");
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Require(bio != nullptr, "make a buffer");
  EVP_PKEY* const key = PEM_read_bio_PUBKEY_ex(bio.get(), nullptr, NoPassword, nullptr, nullptr, nullptr);
  if (key == nullptr)
    return absl::InvalidArgumentError(
        "not a public key: expected PEM with BEGIN PUBLIC KEY, or a JWK, of type P-256 or RSA");
  return Check(Own(key));
}

absl::StatusOr<PublicKey> PublicKey::FromJwk(std::string_view json) {
  if (json.size() > kPemBytesMax) return NotAJwk("it must be at most 64 KB");
  const auto object = ParseJsonObject(json);
  if (!object) return NotAJwk("it must be one JSON object");
  return FromJwk(*object);
}

absl::StatusOr<PublicKey> PublicKey::FromJwk(const JsonObject& jwk) {
  const ErrorMark mark;
  if (jwk.Find("d") != nullptr) return NotAJwk("it holds a private key; give the public one");
  const auto bytes = [&](std::string_view name) -> std::optional<std::string> {
    const auto text = jwk.String(name);
    return text ? FromBase64Url(*text) : std::nullopt;
  };
  const auto type = jwk.String("kty");
  if (type == "EC" && jwk.String("crv") == "P-256") {
    const auto x = bytes("x"), y = bytes("y");
    auto key = x && y ? P256FromPoint(*x, *y) : nullptr;
    if (!key) return NotAJwk("x and y must be 32 bytes each in base64url, and a point of P-256");
    return Check(std::move(key));
  }
  if (type == "RSA") {
    const auto n = bytes("n"), e = bytes("e");
    auto key = n && e && !n->empty() && !e->empty() && n->size() <= kRsaBitsMax / 8 ? RsaFromNumbers(*n, *e) : nullptr;
    if (!key) return NotAJwk("n and e must be numbers in base64url, n of at most 4096 bits");
    return Check(std::move(key));
  }
  return NotAJwk("kty must be EC with crv P-256, or RSA");
}

absl::StatusOr<PublicKey> PublicKey::FromBase64Der(std::string_view text) {
  const ErrorMark mark;
  if (text.size() > kPemBytesMax) return absl::InvalidArgumentError("a public key file must be at most 64 KB");
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  const auto der = FromBase64(text);
  const auto* at = der ? reinterpret_cast<const unsigned char*>(der->data()) : nullptr;
  const auto* const end = der ? at + der->size() : nullptr;
  const auto key = der && !der->empty() ? Own(d2i_PUBKEY(nullptr, &at, static_cast<long>(der->size()))) : nullptr;
  if (!key || at != end)
    return absl::InvalidArgumentError(
        "not a public key: expected PEM with BEGIN PUBLIC KEY, or a JWK, of type P-256 or RSA");
  return Check(key);
}

absl::StatusOr<PublicKey> PublicKey::FromFile(std::string_view contents) {
  const auto first = contents.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && contents[first] == '{') return FromJwk(contents);
  if (first != std::string_view::npos && contents[first] != '-') return FromBase64Der(contents);
  return FromPem(contents);
}

std::string PublicKey::ToPem() const {
  const Bio bio(BIO_new(BIO_s_mem()));
  Require(bio && PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1, "write a public key");
  return std::string(Contents(bio.get()));
}

std::string PublicKey::ToBase64Der() const {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  Require(size > 0, "write a public key");
  std::string text = ToBase64({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return text;
}

std::string PublicKey::ToJwk() const {
  return absl::StrCat(RequiredMembers(key_.get(), kind_), ",\"kid\":\"", kid_, "\",\"use\":\"enc\",\"alg\":\"",
                      kind_ == KeyKind::kRsa ? "RSA-OAEP-256" : "ECDH-ES", "\"}");
}

PrivateKey PrivateKey::Generate(KeyKind kind) {
  EVP_PKEY* const key = kind == KeyKind::kRsa ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", kRsaBitsMade)
                                              : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  Require(key != nullptr, "make a key pair");
  auto checked = PublicKey::Check(Own(key));
  Require(checked.ok(), "make a key pair of the kind asked for");
  return PrivateKey(*std::move(checked));
}

absl::StatusOr<PrivateKey> PrivateKey::FromPem(std::string_view pem, const Secret& password) {
  const ErrorMark mark;
  if (pem.size() > kPemBytesMax) return absl::InvalidArgumentError("a private key file must be at most 64 KB");
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Require(bio != nullptr, "make a buffer");
  Secret handed(password.Reveal());
  EVP_PKEY* const key = PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, GivePassword, &handed, nullptr, nullptr);
  if (key == nullptr)
    return absl::InvalidArgumentError(
        password.empty()
            ? "not a private key: expected PEM with BEGIN PRIVATE KEY, without a password, of type P-256 or RSA"
            : "not a private key: expected PEM of type P-256 or RSA, without a password or with the one given");
  return Adopt(Own(key));
}

absl::StatusOr<PrivateKey> PrivateKey::Adopt(std::shared_ptr<EVP_PKEY> key) {
  const ErrorMark mark;
  auto checked = PublicKey::Check(std::move(key));
  if (!checked.ok()) return checked.status();
  // A file that was damaged or put together wrongly would otherwise show at the first envelope.
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, checked->get(), nullptr), EVP_PKEY_CTX_free);
  Require(context != nullptr, "make a key's context");
  if (EVP_PKEY_pairwise_check(context.get()) != 1)
    return absl::InvalidArgumentError("the private key is damaged: its public half belongs to another");
  return PrivateKey(*std::move(checked));
}

Secret PrivateKey::ToPem() const {
  const Bio bio(BIO_new(BIO_s_secmem()));  // wipes its memory
  Require(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "write a private key");
  return Secret(Contents(bio.get()));
}

}  // namespace smsflow::crypto
