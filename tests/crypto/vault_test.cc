#include "crypto/vault.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "crypto/envelope.h"
#include "crypto/old_envelope.h"
#include "tests/crypto/golden_file.h"

namespace smsflow::crypto {
namespace {

PrivateKey P256() { return PrivateKey::Generate(KeyKind::kP256); }

PrivateKey Golden(const std::string& name) {
  auto keys = ReadVaultFile(GoldenFile(name), Secret(std::string_view(kGoldenPassword)));
  EXPECT_TRUE(keys.ok()) << keys.status();
  return keys->front().key;
}

std::string Seal(const PrivateKey& key, std::string_view subject = "demo/k1", std::string_view text = "text") {
  return *SealEnvelope(key.public_key(), subject, text);
}

TEST(Vault, FindsTheKeyByItsKid) {
  const PrivateKey a = P256(), b = P256(), rsa = Golden("rsa.pem");
  Vault vault;
  vault.Replace({{a, ""}, {rsa, ""}, {b, ""}});
  EXPECT_EQ(vault.kids(), (std::vector{a.kid(), rsa.kid(), b.kid()}));
  for (const PrivateKey& key : {a, b, rsa}) {
    const auto opened = vault.Open("demo", "k1", Seal(key));
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->plaintext.Reveal(), "text");
    EXPECT_TRUE(opened->authentic);
  }
}

TEST(Vault, OpensForTheTenantAndKeyAlone) {
  const PrivateKey key = P256();
  Vault vault;
  vault.Replace({{key, ""}});
  for (const auto& [tenant, client_key] :
       std::vector<std::pair<std::string, std::string>>{{"other", "k1"}, {"demo", "k2"}, {"demo", ""}, {"Demo", "k1"}})
    EXPECT_EQ(vault.Open(tenant, client_key, Seal(key)).status(),
              absl::InvalidArgumentError("the envelope was sealed for another SMS: its sub is not this tenant/key"));
}

TEST(Vault, RotatesWithoutAGap) {
  const PrivateKey first = P256(), second = P256();
  Vault vault;
  vault.Replace({{first, ""}});
  EXPECT_EQ(vault.Open("demo", "k1", Seal(second)).status().code(), absl::StatusCode::kNotFound);
  vault.Replace({{second, ""}, {first, ""}});
  EXPECT_TRUE(vault.Open("demo", "k1", Seal(first)).ok()) << "sealed before clients heard of the second";
  EXPECT_TRUE(vault.Open("demo", "k1", Seal(second)).ok());
  vault.Replace({{second, ""}});
  EXPECT_EQ(vault.Open("demo", "k1", Seal(first)).status(),
            absl::NotFoundError("the envelope was sealed for a key that is not here: its kid is unknown or retired"));
  EXPECT_TRUE(vault.Open("demo", "k1", Seal(second)).ok());
}

TEST(Vault, WhatItHadAtOneMomentStaysThat) {
  const PrivateKey first = P256(), second = P256();
  Vault vault;
  vault.Replace({{first, ""}});
  const Vault::Snapshot before = vault.Now();
  vault.Replace({{second, ""}});
  EXPECT_TRUE(before.Has(first.kid()));
  EXPECT_FALSE(before.Has(second.kid()));
  EXPECT_TRUE(before.Open("demo", "k1", Seal(first)).ok());
  EXPECT_EQ(before.Open("demo", "k1", Seal(second)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(vault.Now().Has(first.kid()));
}

TEST(Vault, MayBeReplacedWhileOthersOpen) {
  const PrivateKey key = P256();
  Vault vault;
  vault.Replace({{key, ""}});
  const std::string envelope = Seal(key);
  std::atomic<bool> done{false};
  std::atomic<int> failed{0};
  std::thread reader([&] {
    while (!done) failed += vault.Open("demo", "k1", envelope).ok() ? 0 : 1;
  });
  for (int i = 0; i < 200; ++i) vault.Replace({{P256(), ""}, {key, ""}});
  done = true;
  reader.join();
  EXPECT_EQ(failed, 0);
}

TEST(Vault, TakesOldEnvelopesOnlyWhenSwitchedOn) {
  auto keys = ReadVaultFile(GoldenFile("old.p12"), Secret(std::string_view(kGoldenPassword)));
  ASSERT_TRUE(keys.ok()) << keys.status();
  Vault off, on(OldEnvelopes::kOpened);
  off.Replace(*keys);
  on.Replace(*keys);
  EXPECT_EQ(off.Open("demo", "", GoldenFile("old.enc")).status(),
            absl::FailedPreconditionError("the envelope has the old format, which this gateway does not take"));
  for (const char* tenant : {"demo", "Demo"}) {
    const auto opened = on.Open(tenant, "any key", GoldenFile("old.enc"));
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->plaintext.Reveal(), "To: +255123456789\nSender: TEST\n\nS1D1 à");
    EXPECT_FALSE(opened->authentic);
  }
}

TEST(Vault, OpensOldEnvelopesWithTheTenantsOwnKeysAlone) {
  const PrivateKey a1 = Golden("rsa.pem"), a2 = Golden("old.p12"), b = Golden("old_ciphers.p12");
  Vault vault(OldEnvelopes::kOpened);
  vault.Replace({{a1, "a"}, {a2, "a"}, {b, "b"}, {b, ""}});
  const auto opens = [&](std::string_view tenant, const PrivateKey& key) {
    const auto opened = vault.Open(tenant, "", *SealOldEnvelope(key.public_key(), "a text of some length"));
    return opened.ok() && opened->plaintext.Reveal() == "a text of some length";
  };
  EXPECT_TRUE(opens("a", a1));
  EXPECT_TRUE(opens("a", a2));
  EXPECT_TRUE(opens("b", b));
  EXPECT_FALSE(opens("a", b));
  EXPECT_FALSE(opens("b", a1));
  EXPECT_EQ(vault.Open("c", "", *SealOldEnvelope(b.public_key(), "text")).status(),
            absl::NotFoundError("the envelope has the old format, and no key here has the tenant as its alias"));
}

}  // namespace
}  // namespace smsflow::crypto
