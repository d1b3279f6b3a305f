// Key pairs of gateways: what envelopes are sealed for and opened with.
//
// Two kinds: P-256 (recommended: 17 times faster to open with) and RSA of 2048 to 4096 bits (made with 3072). A key's
// id (`kid`) is its RFC 7638 thumbprint, so the same key has the same id wherever it is loaded.
//
// Both types are handles that may be copied and used from any thread. Making an RSA pair takes up to a second; nothing
// else blocks. Errors are InvalidArgument and never quote key material.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/secret.h"

typedef struct evp_pkey_st EVP_PKEY;

namespace smsflow::crypto {

struct JsonObject;

enum class KeyKind { kP256, kRsa };

class PublicKey {
 public:
  // SubjectPublicKeyInfo, `-----BEGIN PUBLIC KEY-----`.
  [[nodiscard]] static absl::StatusOr<PublicKey> FromPem(std::string_view pem);
  // RFC 7517. A `kid` in it is ignored: the thumbprint counts.
  [[nodiscard]] static absl::StatusOr<PublicKey> FromJwk(std::string_view json);
  [[nodiscard]] static absl::StatusOr<PublicKey> FromJwk(const JsonObject& jwk);
  // DER of SubjectPublicKeyInfo in base64, as clients of the old gateway have it; line breaks at its end are skipped.
  [[nodiscard]] static absl::StatusOr<PublicKey> FromBase64Der(std::string_view text);
  // From the bytes of a file: JWK when it begins with `{`, PEM when with `-`, else base64.
  [[nodiscard]] static absl::StatusOr<PublicKey> FromFile(std::string_view contents);

  KeyKind kind() const { return kind_; }
  const std::string& kid() const { return kid_; }
  std::string ToPem() const;
  std::string ToBase64Der() const;              // one line without its break
  std::string ToJwk() const;                    // one line, with kid, use and alg
  EVP_PKEY* get() const { return key_.get(); }  // borrowed; only crypto/ looks inside

 private:
  friend class PrivateKey;
  [[nodiscard]] static absl::StatusOr<PublicKey> Check(std::shared_ptr<EVP_PKEY> key);
  PublicKey() = default;

  std::shared_ptr<EVP_PKEY> key_;
  KeyKind kind_ = KeyKind::kP256;
  std::string kid_;
};

// Opens what was sealed for its public half. Its PEM is a Secret: wiped when it goes, never printed.
class PrivateKey {
 public:
  static PrivateKey Generate(KeyKind kind);
  // PKCS#8, `-----BEGIN PRIVATE KEY-----`; with a password `-----BEGIN ENCRYPTED PRIVATE KEY-----` too. The first block
  // counts.
  [[nodiscard]] static absl::StatusOr<PrivateKey> FromPem(std::string_view pem, const Secret& password = Secret());
  // For crypto/ alone: of a handle that holds a private half. Its two halves must fit.
  [[nodiscard]] static absl::StatusOr<PrivateKey> Adopt(std::shared_ptr<EVP_PKEY> key);

  Secret ToPem() const;
  const PublicKey& public_key() const { return public_; }  // shares the handle, shows only the public half
  const std::string& kid() const { return public_.kid(); }
  EVP_PKEY* get() const { return public_.get(); }  // borrowed; only crypto/ looks inside

 private:
  explicit PrivateKey(PublicKey whole) : public_(std::move(whole)) {}
  PublicKey public_;
};

}  // namespace smsflow::crypto
