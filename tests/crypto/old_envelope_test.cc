#include "crypto/old_envelope.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>
#include <vector>

#include "crypto/base64url.h"
#include "crypto/vault_file.h"
#include "tests/crypto/golden_file.h"
#include "tests/crypto/hex.h"

namespace smsflow::crypto {
namespace {

constexpr char kCannotOpen[] = "the old envelope cannot be opened with this key, or was changed";
constexpr std::size_t kTextAt = 4 + 256;  // behind the head and the key that RSA-2048 wraps
constexpr char kPlaintext[] = "To: +255123456789\nSender: TEST\n\nS1D1";

// RSA keys that are not made anew at each run: that takes a second.
PrivateKey KeyOf(const std::string& golden) {
  auto keys = ReadVaultFile(GoldenFile(golden), Secret(std::string_view(kGoldenPassword)));
  EXPECT_TRUE(keys.ok()) << keys.status();
  return keys->front().key;
}

const PrivateKey& Key() {
  static const PrivateKey key = KeyOf("rsa.pem");
  return key;
}

std::string Refusal(std::string_view envelope) {
  const auto opened = OpenOldEnvelope({&Key(), 1}, envelope);
  EXPECT_EQ(ERR_peek_error(), 0u) << "errors were left for the next user of this thread";
  return opened.ok() ? "opened" : std::string(opened.status().message());
}

// `envelope` with its bytes changed by `change`.
template <class Change>
std::string With(std::string_view envelope, Change change) {
  std::string bytes = FromBase64(envelope).value();
  change(bytes);
  return ToBase64(bytes);
}

// The vector of those who wrote the old gateway's clients: key 00..1f.
TEST(OldText, IsThatOfTheVector) {
  const Secret key(FromHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
  const std::string ciphertext =
      "2128eb368d9c9cfdf3d51c28e7300365d60de10bc0178f6a09ebe70ffdbb0a0318ae1f462ef99c6d1b4c0d19fbdc89bd";
  EXPECT_EQ(ToHex(SealOldText(key, kPlaintext)), ciphertext);
  const auto opened = OpenOldText(key, FromHex(ciphertext));
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->Reveal(), kPlaintext);
}

TEST(OldEnvelope, OpensToWhatWasSealedAtEverySize) {
  for (int size = 0; size <= 49; ++size) {
    const std::string text(static_cast<std::size_t>(size), 'x');
    const auto sealed = SealOldEnvelope(Key().public_key(), text);
    ASSERT_TRUE(sealed.ok()) << sealed.status();
    EXPECT_TRUE(LooksLikeOldEnvelope(*sealed));
    const auto opened = OpenOldEnvelope({&Key(), 1}, *sealed);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->Reveal(), text);
  }
}

TEST(OldEnvelope, OpensWhatJavaSealed) {
  const auto keys = ReadVaultFile(GoldenFile("old.p12"), Secret(std::string_view(kGoldenPassword)));
  ASSERT_TRUE(keys.ok()) << keys.status();
  std::vector<PrivateKey> all;
  for (const VaultKey& key : *keys) all.push_back(key.key);
  const auto opened = OpenOldEnvelope(all, GoldenFile("old.enc"));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->Reveal(), "To: +255123456789\nSender: TEST\n\nS1D1 à");
}

TEST(OldEnvelope, OpensWithAnyOfTheKeysGiven) {
  const std::vector<PrivateKey> keys = {PrivateKey::Generate(KeyKind::kP256), KeyOf("old_ciphers.p12"), Key()};
  const auto opened = OpenOldEnvelope(keys, *SealOldEnvelope(Key().public_key(), kPlaintext));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->Reveal(), kPlaintext);
}

TEST(OldEnvelope, FailsWithOneTextWhateverTheSecretReason) {
  const std::string sealed = *SealOldEnvelope(Key().public_key(), kPlaintext);
  const PrivateKey other = KeyOf("old_ciphers.p12");
  const absl::Status expected = absl::PermissionDeniedError(kCannotOpen);
  // Another key's text is noise: once in 256 its padding is right by chance, and then its reader refuses it.
  for (int i = 0; i < 3; ++i) {
    const auto opened = OpenOldEnvelope({&other, 1}, sealed);
    if (opened.ok()) {
      EXPECT_NE(opened->Reveal(), kPlaintext);
    } else {
      EXPECT_EQ(opened.status(), expected);
    }
  }
  EXPECT_EQ(OpenOldEnvelope({}, sealed).ok() ? expected : OpenOldEnvelope({}, sealed).status(), expected);
  // The padding alone, which is the last byte of the text: 0 and 17 can be no padding.
  const auto bad_padding = [&](char wanted) {
    return With(sealed, [&](std::string& bytes) { bytes.back() = static_cast<char>(bytes.back() ^ 12 ^ wanted); });
  };
  EXPECT_EQ(Refusal(bad_padding(0)), kCannotOpen);
  EXPECT_EQ(Refusal(bad_padding(17)), kCannotOpen);
  EXPECT_EQ(Refusal(bad_padding(2)), kCannotOpen);
}

// Why it is behind a switch: a number that is known becomes another one, and nothing notices.
TEST(OldEnvelope, CanBeAddressedToAnotherNumberWithoutTheKey) {
  const std::string_view known = "To: +31629845432", wanted = "To: +25570000000";
  const std::string sealed =
      *SealOldEnvelope(Key().public_key(), std::string(known) + "\nSender: Clinic\n\nCome on Monday");
  const std::string changed = With(sealed, [&](std::string& bytes) {
    const std::size_t text = kTextAt;
    for (std::size_t i = 0; i < known.size(); ++i)
      bytes[text + i] = static_cast<char>(bytes[text + i] ^ known[i] ^ wanted[i]);
  });
  const auto opened = OpenOldEnvelope({&Key(), 1}, changed);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->Reveal().substr(0, 16), wanted);
  EXPECT_NE(opened->Reveal().find("Come on Monday"), std::string_view::npos);
}

TEST(OldEnvelope, OfAnotherFormNamesTheRule) {
  const std::string sealed = *SealOldEnvelope(Key().public_key(), kPlaintext);
  const std::string m = "the old envelope is malformed: ";
  const std::string base64 = m + "it must be base64 with padding, without line breaks";
  EXPECT_EQ(Refusal(sealed + "\n"), base64);
  EXPECT_EQ(Refusal("ENC-AAAA"), base64);
  EXPECT_EQ(Refusal(sealed.substr(1)), base64);
  EXPECT_EQ(Refusal("ENA="), m + "it must begin with a head of 4 bytes");
  EXPECT_EQ(Refusal("ENDBAAAA"), m + "its head must be that of an RSA envelope");
  EXPECT_EQ(Refusal("ENCBAAAA"), m + "its wrapped key must be as long as it says");
  EXPECT_EQ(Refusal("ENCAAAAA"), m + "its wrapped key must be as long as it says") << "a length of 0";
  EXPECT_EQ(Refusal(With(sealed, [](std::string& bytes) { bytes.pop_back(); })),
            m + "its text must be whole blocks of 16 bytes");
  EXPECT_EQ(Refusal(With(sealed, [](std::string& bytes) { bytes.resize(kTextAt); })),
            m + "its text must be whole blocks of 16 bytes");
  EXPECT_EQ(Refusal("ENC" + std::string(20'000, 'A')), m + "it must be at most 16384 bytes");
}

TEST(OldEnvelope, IsSealedForRsaAloneAndNeverTooLarge) {
  EXPECT_EQ(SealOldEnvelope(PrivateKey::Generate(KeyKind::kP256).public_key(), "x").status().message(),
            "the old envelope takes an RSA key");
  EXPECT_TRUE(SealOldEnvelope(Key().public_key(), std::string(12'000, 'x')).ok());
  for (const std::size_t size : {12'100u, 20'000u})
    EXPECT_EQ(SealOldEnvelope(Key().public_key(), std::string(size, 'x')).status().message(),
              "cannot seal: the envelope would be larger than 16384 bytes");
}

TEST(Base64, HasOneTextForOneValue) {
  for (const auto& [bytes, text] : std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                                                    {"f", "Zg=="},
                                                                                    {"fo", "Zm8="},
                                                                                    {"foo", "Zm9v"},
                                                                                    {"foob", "Zm9vYg=="},
                                                                                    {"\xfb\xff", "+/8="},
                                                                                    {"\xff\xfe\xfd", "//79"}}) {
    EXPECT_EQ(ToBase64(bytes), text);
    EXPECT_EQ(FromBase64(text), bytes);
  }
  for (const char* text :
       {"Zg", "Zg=", "Zh==", "Zg===", "Zm9=", "Z===", "====", "-_8=", "Zm 8", "Zm8=\n", "Zm9v\n", "Z=g=", "=Zg="})
    EXPECT_EQ(FromBase64(text), std::nullopt) << text;
}

}  // namespace
}  // namespace smsflow::crypto
