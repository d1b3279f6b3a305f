#include "crypto/vault_file.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/crypto/golden_file.h"

namespace smsflow::crypto {
namespace {

Secret Password(std::string_view text = kGoldenPassword) { return Secret(text); }

std::string Refusal(std::string_view contents, std::string_view password = kGoldenPassword) {
  const auto keys = ReadVaultFile(contents, Secret(password));
  EXPECT_EQ(ERR_peek_error(), 0u) << "errors were left for the next user of this thread";
  return keys.ok() ? "read" : std::string(keys.status().message());
}

TEST(VaultFile, OfJavaHoldsItsKeysWithTheirAliases) {
  const auto keys = ReadVaultFile(GoldenFile("old.p12"), Password());
  ASSERT_TRUE(keys.ok()) << keys.status();
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ((*keys)[0].alias, "demo");
  EXPECT_EQ((*keys)[0].key.public_key().kind(), KeyKind::kRsa);
  EXPECT_EQ((*keys)[1].alias, "clinic") << "Java keeps aliases in lower case";
  EXPECT_EQ((*keys)[1].key.public_key().kind(), KeyKind::kP256);
  const auto published = PublicKey::FromFile(GoldenFile("old.pub"));
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ((*keys)[0].key.kid(), published->kid());
}

TEST(VaultFile, WithACertificateUnderACipherOfOldStillGivesItsKey) {
  const auto keys = ReadVaultFile(GoldenFile("old_ciphers.p12"), Password());
  ASSERT_TRUE(keys.ok()) << keys.status();
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_EQ(keys->front().alias, "demo");
}

TEST(VaultFile, AsWrittenIsReadAgain) {
  for (const KeyKind kind : {KeyKind::kP256, KeyKind::kRsa}) {
    const PrivateKey key = PrivateKey::Generate(kind);
    const auto store = WritePkcs12(key, "clinic-é", Password());
    ASSERT_TRUE(store.ok()) << store.status();
    const auto keys = ReadVaultFile(store->Reveal(), Password());
    ASSERT_TRUE(keys.ok()) << keys.status();
    ASSERT_EQ(keys->size(), 1u);
    EXPECT_EQ(keys->front().alias, "clinic-é");
    EXPECT_EQ(keys->front().key.kid(), key.kid());
  }
}

TEST(VaultFile, OfPemMayHoldSeveralKeysAndOtherBlocks) {
  const PrivateKey a = PrivateKey::Generate(KeyKind::kP256), b = PrivateKey::Generate(KeyKind::kP256);
  const std::string file = absl::StrCat("old and new\n", std::string(b.ToPem().Reveal()), a.public_key().ToPem(), "\n",
                                        std::string(a.ToPem().Reveal()));
  const auto keys = ReadVaultFile(file, Secret());
  ASSERT_TRUE(keys.ok()) << keys.status();
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ((*keys)[0].key.kid(), b.kid());
  EXPECT_EQ((*keys)[1].key.kid(), a.kid());
  EXPECT_EQ((*keys)[0].alias, "");
}

TEST(VaultFile, OfPemMayHaveAPassword) {
  const PrivateKey key = PrivateKey::Generate(KeyKind::kP256);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), BIO_free_all);
  char password[] = "secret";
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_256_cbc(), password, 6, nullptr, nullptr), 1);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  const std::string pem(data, static_cast<std::size_t>(size));
  const auto keys = ReadVaultFile(pem, Password("secret"));
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ(keys->front().key.kid(), key.kid());
  EXPECT_EQ(Refusal(pem, "wrong"),
            "not a private key: expected PEM of type P-256 or RSA, without a password or with the one given");
  EXPECT_EQ(Refusal(pem, ""),
            "not a private key: expected PEM with BEGIN PRIVATE KEY, without a password, of type P-256 or RSA");
}

TEST(VaultFile, ThatIsNoneNamesTheRule) {
  const std::string none = "not a vault: expected PEM with BEGIN PRIVATE KEY, or a PKCS#12 store";
  EXPECT_EQ(Refusal(""), none);
  EXPECT_EQ(Refusal("text"), none);
  EXPECT_EQ(Refusal(PrivateKey::Generate(KeyKind::kP256).public_key().ToPem()), none);
  EXPECT_EQ(Refusal("-----BEGIN PRIVATE KEY-----\nAAAA\n"), "a PEM block must have its END line");
  EXPECT_EQ(Refusal("-----BEGIN PRIVATE KEY"), "a PEM block must have its END line");
  EXPECT_EQ(Refusal(std::string(2 << 20, 'x')), "a vault must be at most 1 MB");
  EXPECT_EQ(Refusal("0"), "not a PKCS#12 store");
  const std::string golden = GoldenFile("old.p12");
  EXPECT_EQ(Refusal(golden + "x"), "not a PKCS#12 store");
  EXPECT_EQ(Refusal(golden.substr(0, golden.size() - 1)), "not a PKCS#12 store");
  const std::string wrong = "the password of the PKCS#12 store is wrong, or the store was changed";
  EXPECT_EQ(Refusal(golden, "golden-passwor"), wrong);
  EXPECT_EQ(Refusal(golden, ""), wrong);
  EXPECT_EQ(Refusal(golden, std::string_view("golden\0password", 15)), "the password must not hold a zero byte");
}

TEST(VaultFile, ThatWasChangedAnywhereIsRefused) {
  const std::string golden = GoldenFile("old.p12");
  for (std::size_t i = 0; i < golden.size(); i += 211) {
    std::string changed = golden;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    const auto keys = ReadVaultFile(changed, Password());
    // What lies beside the contents, such as how the MAC names its digest, may have two forms for one meaning.
    if (keys.ok()) {
      EXPECT_EQ(keys->size(), 2u) << i;
    }
  }
}

using Store = std::unique_ptr<PKCS12, decltype(&PKCS12_free)>;

std::string Bytes(PKCS12* store) {
  unsigned char* der = nullptr;
  const int size = i2d_PKCS12(store, &der);
  const std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

TEST(VaultFile, WithAKeyOfAnotherKindIsRefused) {
  EVP_PKEY* const key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384");
  const Store store(PKCS12_create("x", "alias", key, nullptr, nullptr, NID_aes_256_cbc, -1, 1, 1, 0), PKCS12_free);
  EVP_PKEY_free(key);
  EXPECT_EQ(Refusal(Bytes(store.get()), "x"), "a key must be P-256 or RSA; this one is neither");
}

TEST(VaultFile, WithAKeyUnderAnotherPasswordIsRefused) {
  const PrivateKey key = PrivateKey::Generate(KeyKind::kP256);
  const Store store(PKCS12_create("key", "alias", key.get(), nullptr, nullptr, NID_aes_256_cbc, -1, 1, -1, 0),
                    PKCS12_free);
  ASSERT_EQ(PKCS12_set_mac(store.get(), "store", -1, nullptr, 0, 1, nullptr), 1);
  EXPECT_EQ(Refusal(Bytes(store.get()), "store"),
            "a key of the PKCS#12 store cannot be opened: it must have the store's password and a cipher that is still "
            "provided");
}

TEST(VaultFile, WithoutAMacIsRefused) {
  const PrivateKey key = PrivateKey::Generate(KeyKind::kP256);
  const Store store(PKCS12_create("x", "alias", key.get(), nullptr, nullptr, NID_aes_256_cbc, -1, 1, -1, 0),
                    PKCS12_free);
  EXPECT_EQ(Refusal(Bytes(store.get()), "x"), "the PKCS#12 store must be protected by a password");
}

TEST(VaultFile, WithoutAKeyIsRefused) {
  const Store store(PKCS12_init(NID_pkcs7_data), PKCS12_free);
  STACK_OF(PKCS7)* const none = sk_PKCS7_new_null();
  ASSERT_EQ(PKCS12_pack_authsafes(store.get(), none), 1);
  sk_PKCS7_free(none);
  ASSERT_EQ(PKCS12_set_mac(store.get(), "x", -1, nullptr, 0, 1, nullptr), 1);
  EXPECT_EQ(Refusal(Bytes(store.get()), "x"), "the PKCS#12 store holds no private key that can be read");
}

TEST(VaultFile, WithTooManyIterationsIsRefusedAtOnce) {
  const Store store(PKCS12_init(NID_pkcs7_data), PKCS12_free);
  STACK_OF(PKCS7)* const none = sk_PKCS7_new_null();
  ASSERT_EQ(PKCS12_pack_authsafes(store.get(), none), 1);
  sk_PKCS7_free(none);
  ASSERT_EQ(PKCS12_set_mac(store.get(), "x", -1, nullptr, 0, 2, nullptr), 1);
  const ASN1_INTEGER* iterations = nullptr;
  PKCS12_get0_mac(nullptr, nullptr, nullptr, &iterations, store.get());
  ASSERT_EQ(ASN1_INTEGER_set(const_cast<ASN1_INTEGER*>(iterations), 2'000'000'000), 1);
  EXPECT_EQ(Refusal(Bytes(store.get()), "x"), "the PKCS#12 store must have 1 to 1000000 iterations");
}

TEST(VaultFile, IsWrittenWithAnAliasAndAPasswordOnly) {
  const PrivateKey key = PrivateKey::Generate(KeyKind::kP256);
  const auto refusal = [&](const std::string& alias, std::string_view password) {
    return std::string(WritePkcs12(key, alias, Secret(password)).status().message());
  };
  EXPECT_EQ(refusal("", "x"), "alias: must be 1 to 64 bytes");
  EXPECT_EQ(refusal(std::string(65, 'a'), "x"), "alias: must be 1 to 64 bytes");
  EXPECT_EQ(refusal("a", ""), "password: must not be empty");
  EXPECT_EQ(refusal("a", std::string_view("a\0b", 3)), "password: must not hold a zero byte");
}

// The public half of one key in the file of another.
TEST(PrivateKey, WhoseHalvesDoNotFitIsRefused) {
  const PrivateKey a = PrivateKey::Generate(KeyKind::kP256), b = PrivateKey::Generate(KeyKind::kP256);
  const auto der = [](const PrivateKey& key) {
    unsigned char* bytes = nullptr;
    const int size = i2d_PrivateKey(key.get(), &bytes);
    const std::string text(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return text;
  };
  std::string mixed = der(a);
  mixed.replace(mixed.size() - 64, 64, der(b).substr(mixed.size() - 64));
  const auto* at = reinterpret_cast<const unsigned char*>(mixed.data());
  EVP_PKEY* const key = d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(mixed.size()));
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(PrivateKey::Adopt({key, EVP_PKEY_free}).status().message(),
            "the private key is damaged: its public half belongs to another");
}

}  // namespace
}  // namespace smsflow::crypto
