#include "crypto/pkcs12.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "crypto/error_mark.h"
#include "crypto/require.h"

namespace smsflow::crypto {
namespace {

constexpr long kIterationsMax = 1'000'000;  // a hundred times what Java writes; more would only keep us busy
constexpr int kIterationsMade = 100'000;
constexpr int kNestingMax = 4;
constexpr std::size_t kKeysMax = 1000;

struct Free {
  void operator()(PKCS12* store) const { PKCS12_free(store); }
  void operator()(STACK_OF(PKCS7) * safes) const { sk_PKCS7_pop_free(safes, PKCS7_free); }
  void operator()(STACK_OF(PKCS12_SAFEBAG) * bags) const { sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free); }
  void operator()(PKCS8_PRIV_KEY_INFO* info) const { PKCS8_PRIV_KEY_INFO_free(info); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(ASN1_INTEGER* number) const { ASN1_INTEGER_free(number); }
  void operator()(char* text) const { OPENSSL_free(text); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

class Reader {
 public:
  explicit Reader(const Secret& password) : password_(password) {}

  absl::StatusOr<std::vector<VaultKey>> Read(std::string_view bytes) {
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    const auto* const end = at + bytes.size();
    const Owned<PKCS12> store(d2i_PKCS12(nullptr, &at, static_cast<long>(bytes.size())));
    if (!store || at != end) return absl::InvalidArgumentError("not a PKCS#12 store");
    if (absl::Status status = CheckMac(store.get()); !status.ok()) return status;
    const Owned<STACK_OF(PKCS7)> safes(PKCS12_unpack_authsafes(store.get()));
    if (!safes) return absl::InvalidArgumentError("not a PKCS#12 store: its contents cannot be taken apart");
    for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i)
      if (absl::Status status = ReadSafe(sk_PKCS7_value(safes.get(), i)); !status.ok()) return status;
    if (keys_.empty()) return absl::InvalidArgumentError("the PKCS#12 store holds no private key that can be read");
    return std::move(keys_);
  }

 private:
  const char* Password() const { return password_.Reveal().data() == nullptr ? "" : password_.Reveal().data(); }
  int PasswordSize() const { return static_cast<int>(password_.size()); }

  absl::Status CheckMac(PKCS12* store) const {
    if (PKCS12_mac_present(store) != 1)
      return absl::InvalidArgumentError("the PKCS#12 store must be protected by a password");
    const ASN1_INTEGER* iterations = nullptr;
    PKCS12_get0_mac(nullptr, nullptr, nullptr, &iterations, store);
    if (iterations != nullptr && (ASN1_INTEGER_get(iterations) < 1 || ASN1_INTEGER_get(iterations) > kIterationsMax))
      return absl::InvalidArgumentError("the PKCS#12 store must have 1 to 1000000 iterations");
    if (PKCS12_verify_mac(store, Password(), PasswordSize()) != 1)
      return absl::InvalidArgumentError("the password of the PKCS#12 store is wrong, or the store was changed");
    return absl::OkStatus();
  }

  absl::Status ReadSafe(PKCS7* safe) {
    const int type = OBJ_obj2nid(safe->type);
    Owned<STACK_OF(PKCS12_SAFEBAG)> bags;
    if (type == NID_pkcs7_data) {
      bags.reset(PKCS12_unpack_p7data(safe));
      if (!bags) return absl::InvalidArgumentError("not a PKCS#12 store: one of its parts cannot be taken apart");
    } else if (type == NID_pkcs7_encrypted) {
      bags.reset(PKCS12_unpack_p7encdata(safe, Password(), PasswordSize()));
      if (!bags) return absl::OkStatus();  // certificates, under RC2 in stores of old: they are not needed
    } else {
      return absl::OkStatus();
    }
    return ReadBags(bags.get(), 1);
  }

  absl::Status ReadBags(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth) {
    if (depth > kNestingMax) return absl::InvalidArgumentError("the PKCS#12 store nests deeper than 4");
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i)
      if (absl::Status status = ReadBag(sk_PKCS12_SAFEBAG_value(bags, i), depth); !status.ok()) return status;
    return absl::OkStatus();
  }

  absl::Status ReadBag(PKCS12_SAFEBAG* bag, int depth) {
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
      case NID_safeContentsBag:
        return ReadBags(PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
      case NID_keyBag:
        return Keep(bag, PKCS12_SAFEBAG_get0_p8inf(bag));
      case NID_pkcs8ShroudedKeyBag: {
        const Owned<PKCS8_PRIV_KEY_INFO> info(PKCS12_decrypt_skey(bag, Password(), PasswordSize()));
        if (!info)
          return absl::InvalidArgumentError(
              "a key of the PKCS#12 store cannot be opened: it must have the store's password and a cipher that is "
              "still provided");
        return Keep(bag, info.get());
      }
      default:
        return absl::OkStatus();
    }
  }

  absl::Status Keep(PKCS12_SAFEBAG* bag, const PKCS8_PRIV_KEY_INFO* info) {
    const Owned<char> name(PKCS12_get_friendlyname(bag));
    const std::string alias = name ? name.get() : "";
    EVP_PKEY* const key = info == nullptr ? nullptr : EVP_PKCS82PKEY(info);
    if (key == nullptr)
      return absl::InvalidArgumentError("a key of the PKCS#12 store is damaged or of a kind that is not known");
    auto checked = PrivateKey::Adopt({key, EVP_PKEY_free});
    if (!checked.ok()) return checked.status();
    if (keys_.size() == kKeysMax) return absl::InvalidArgumentError("the PKCS#12 store must hold at most 1000 keys");
    keys_.push_back({*std::move(checked), alias});
    return absl::OkStatus();
  }

  const Secret& password_;
  std::vector<VaultKey> keys_;
};

// A certificate that says nothing but the name: Java takes no key without one.
Owned<X509> SelfSigned(EVP_PKEY* key, const std::string& name) {
  Owned<X509> certificate(X509_new());
  Require(certificate != nullptr, "make a certificate");
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  Require(X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
              ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1) == 1 &&
              ASN1_TIME_set_string(X509_getm_notBefore(certificate.get()), "20240101000000Z") == 1 &&
              ASN1_TIME_set_string(X509_getm_notAfter(certificate.get()), "99991231235959Z") == 1 &&
              X509_set_pubkey(certificate.get(), key) == 1 &&
              X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                         reinterpret_cast<const unsigned char*>(name.data()),
                                         static_cast<int>(name.size()), -1, 0) == 1 &&
              X509_set_issuer_name(certificate.get(), subject) == 1 &&
              X509_sign(certificate.get(), key, EVP_sha256()) != 0,
          "make a certificate");
  return certificate;
}

}  // namespace

absl::StatusOr<std::vector<VaultKey>> ReadPkcs12(std::string_view store, const Secret& password) {
  const ErrorMark mark;
  if (store.size() > kVaultBytesMax) return absl::InvalidArgumentError("a vault must be at most 1 MB");
  if (password.Reveal().find('\0') != std::string_view::npos)
    return absl::InvalidArgumentError("the password must not hold a zero byte");
  return Reader(password).Read(store);
}

absl::StatusOr<Secret> WritePkcs12(const PrivateKey& key, const std::string& alias, const Secret& password) {
  const ErrorMark mark;
  if (alias.empty() || alias.size() > kAliasBytesMax) return absl::InvalidArgumentError("alias: must be 1 to 64 bytes");
  if (password.empty()) return absl::InvalidArgumentError("password: must not be empty");
  if (password.Reveal().find('\0') != std::string_view::npos)
    return absl::InvalidArgumentError("password: must not hold a zero byte");
  const Owned<X509> certificate = SelfSigned(key.get(), alias);
  std::string terminated(password.Reveal());
  const Owned<PKCS12> store(PKCS12_create(terminated.c_str(), alias.c_str(), key.get(), certificate.get(), nullptr,
                                          NID_aes_256_cbc, NID_aes_256_cbc, kIterationsMade, kIterationsMade, 0));
  WipeString(terminated);
  Require(store != nullptr, "make a PKCS#12 store");
  unsigned char* der = nullptr;
  const int size = i2d_PKCS12(store.get(), &der);
  Require(size > 0, "write a PKCS#12 store");
  Secret written(std::string_view(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)));
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return written;
}

}  // namespace smsflow::crypto
