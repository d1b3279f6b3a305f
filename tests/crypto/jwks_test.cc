#include "crypto/jwks.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/crypto/golden_file.h"

namespace smsflow::crypto {
namespace {

// The base point of the curve, and the key of RFC 7638: public keys that everybody can write down.
constexpr char kEc[] = R"({"kty":"EC","crv":"P-256","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",)"
                       R"("y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU")";
constexpr char kRsa[] =
    R"({"kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_)"
    R"(BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgn)"
    R"(Yb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur)"
    R"(-kEgU8awapJzKnqDKgw")";
constexpr char kRsaKid[] = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

std::string Set(const std::vector<std::string>& keys) {
  std::string json = R"({"keys":[)";
  for (std::size_t i = 0; i < keys.size(); ++i) absl::StrAppend(&json, i == 0 ? "" : ",", keys[i]);
  return json + "]}";
}

std::string Refusal(std::string_view json) {
  const auto keys = ReadJwks(json);
  EXPECT_EQ(ERR_peek_error(), 0u) << "errors were left for the next user of this thread";
  return keys.ok() ? "read" : std::string(keys.status().message());
}

TEST(Jwks, KeepsTheOrderAndWritesEachKeyOnce) {
  const auto read = ReadJwks(Set({absl::StrCat(kRsa, "}"), absl::StrCat(kEc, "}"), absl::StrCat(kRsa, "}")}));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].kid(), kRsaKid);
  EXPECT_EQ((*read)[1].kind(), KeyKind::kP256);
  const std::vector<PublicKey> twice = {(*read)[0], (*read)[1], (*read)[0]};
  const std::string written = WriteJwks(twice);
  EXPECT_EQ(written, WriteJwks(*read));
  const auto again = ReadJwks(written);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->size(), 2u);
  EXPECT_EQ((*again)[1].kid(), (*read)[1].kid());
}

TEST(Jwks, IsPinned) {
  const auto read = ReadJwks(Set({absl::StrCat(kEc, "}"), absl::StrCat(kRsa, "}")}));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(WriteJwks(*read) + "\n", GoldenFile("published.jwks"));
}

TEST(Jwks, SkipsKeysThatAreForSomethingElse) {
  const std::string good = absl::StrCat(kEc, R"(,"use":"enc","alg":"ECDH-ES","kid":"its own","x5c":["AA"]})");
  for (const std::string& other :
       {std::string(R"({"kty":"OKP","crv":"X25519","x":"AA"})"), std::string(R"({"kty":"unheard of"})"),
        std::string(R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})"), std::string("{}"),
        absl::StrCat(kRsa, R"(,"use":"sig"})"), absl::StrCat(kRsa, R"(,"alg":"RS256"})"),
        absl::StrCat(kRsa, R"(,"alg":"ECDH-ES"})"), absl::StrCat(kEc, R"(,"alg":"ECDH-ES+A256KW"})")}) {
    const auto read = ReadJwks(Set({other, good}));
    ASSERT_TRUE(read.ok()) << read.status() << other;
    EXPECT_EQ(read->size(), 1u) << other;
    EXPECT_EQ(Refusal(Set({other})),
              "not a JWK Set: it holds no key that can be sealed for: EC P-256 with ECDH-ES, or RSA with RSA-OAEP-256")
        << other;
  }
}

TEST(Jwks, ThatIsNoneNamesTheRule) {
  const std::string m = "not a JWK Set: ";
  EXPECT_EQ(Refusal(""), m + "it must be one JSON object");
  EXPECT_EQ(Refusal("[]"), m + "it must be one JSON object");
  EXPECT_EQ(Refusal(R"({"keys":[)"), m + "it must be one JSON object");
  EXPECT_EQ(Refusal(R"({"keys":[],"keys":[]})"), m + "it must be one JSON object");
  EXPECT_EQ(Refusal("{}"), m + "keys must be an array of JWKs");
  EXPECT_EQ(Refusal(R"({"keys":{}})"), m + "keys must be an array of JWKs");
  EXPECT_EQ(Refusal(R"({"keys":["text"]})"), m + "keys must be an array of JWKs");
  EXPECT_EQ(Refusal(Set(std::vector<std::string>(101, "{}"))), m + "it must hold at most 100 keys");
  EXPECT_EQ(Refusal(std::string(300'000, ' ')), m + "it must be at most 256 KB");
  const std::string secret = m + "it holds a private key; give the public ones";
  EXPECT_EQ(Refusal(Set({absl::StrCat(kEc, "}"), absl::StrCat(kEc, R"(,"d":"AA"})")})), secret);
  EXPECT_EQ(Refusal(Set({R"({"kty":"oct","k":"AA"})"})), secret);
  EXPECT_EQ(Refusal(Set({R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})"})),
            "not a public JWK: x and y must be 32 bytes each in base64url, and a point of P-256");
  EXPECT_EQ(Refusal(Set({R"({"kty":"RSA","n":"u1SU1LfVLPHCozMxH2Mo","e":"AQAB"})"})),
            "RSA keys must have 2048 to 4096 bits; this one has 120");
}

TEST(PublicKeys, AreReadInEveryForm) {
  const PublicKey key = PublicKey::FromJwk(absl::StrCat(kEc, "}")).value();
  for (const std::string& form :
       {key.ToPem(), key.ToJwk(), key.ToBase64Der(), key.ToBase64Der() + "\n", WriteJwks({&key, 1})}) {
    const auto read = ReadPublicKeys(form);
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_EQ(read->size(), 1u);
    EXPECT_EQ(read->front().kid(), key.kid());
  }
  const std::string none = "not a public key: expected PEM with BEGIN PUBLIC KEY, or a JWK, of type P-256 or RSA";
  for (const std::string& form : {std::string("rubbish"), std::string("AAAA"), key.ToBase64Der() + "AAAA"}) {
    EXPECT_EQ(ReadPublicKeys(form).status().message(), none) << form;
  }
}

}  // namespace
}  // namespace smsflow::crypto
