#include "crypto/keys.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "absl/strings/str_cat.h"

namespace smsflow::crypto {
namespace {

constexpr char kRfc7638Jwk[] =
    R"({"kty": "RSA", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKR)"
    R"(XjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zg)"
    R"(dAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8aw)"
    R"(apJzKnqDKgw", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29", "key_ops": ["verify", 1, null], "ext": true})";

// RFC 7638, section 3.1.
TEST(PublicKey, HasTheThumbprintOfTheRfcAsItsId) {
  const auto key = PublicKey::FromJwk(kRfc7638Jwk);
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  EXPECT_EQ(key->kind(), KeyKind::kRsa);
}

class KeysOfBothKinds : public testing::TestWithParam<KeyKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, KeysOfBothKinds, testing::Values(KeyKind::kP256, KeyKind::kRsa));

TEST_P(KeysOfBothKinds, AreTheSameInEveryForm) {
  const PrivateKey made = PrivateKey::Generate(GetParam());
  EXPECT_EQ(made.public_key().kind(), GetParam());
  EXPECT_EQ(made.kid().size(), 43u);
  const Secret pem = made.ToPem();
  EXPECT_EQ(pem.Reveal().substr(0, 28), "-----BEGIN PRIVATE KEY-----\n");
  const auto read = PrivateKey::FromPem(pem.Reveal());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->kid(), made.kid());
  EXPECT_TRUE(read->ToPem().Equals(pem.Reveal()));
  for (const std::string& form : {made.public_key().ToPem(), made.public_key().ToJwk()}) {
    EXPECT_EQ(form.find("PRIVATE"), std::string::npos);
    EXPECT_EQ(form.find("\"d\""), std::string::npos);
    const auto key = PublicKey::FromFile(form);
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(key->kid(), made.kid());
    EXPECT_EQ(key->kind(), GetParam());
  }
}

// The base point of the curve, SEC 2, section 2.4.2: a public key that everybody can write down.
constexpr char kX[] = "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY";
constexpr char kY[] = "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU";

TEST(PublicKey, JwkIsPinned) {
  const auto key = PublicKey::FromJwk(absl::StrCat(R"({"kty":"EC","crv":"P-256","x":")", kX, R"(","y":")", kY, "\"}"));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->ToJwk(), absl::StrCat(R"({"crv":"P-256","kty":"EC","x":")", kX, R"(","y":")", kY, R"(","kid":")",
                                       key->kid(), R"(","use":"enc","alg":"ECDH-ES"})"));
}

TEST(PublicKey, RefusesWhatIsNoGoodKey) {
  const auto message = [](std::string_view file) { return std::string(PublicKey::FromFile(file).status().message()); };
  const std::string not_pem = "not a public key: expected PEM with BEGIN PUBLIC KEY, or a JWK, of type P-256 or RSA";
  EXPECT_EQ(message(""), not_pem);
  EXPECT_EQ(message("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), not_pem);
  EXPECT_EQ(message(PrivateKey::Generate(KeyKind::kP256).ToPem().Reveal()), not_pem);
  EXPECT_EQ(message("{"), "not a public JWK: it must be one JSON object");
  EXPECT_EQ(message("{}"), "not a public JWK: kty must be EC with crv P-256, or RSA");
  EXPECT_EQ(message(R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})"),
            "not a public JWK: kty must be EC with crv P-256, or RSA");
  EXPECT_EQ(message(absl::StrCat(R"({"kty":"EC","crv":"P-256","x":")", kX, R"(","y":")", kX, "\"}")),  // off the curve
            "not a public JWK: x and y must be 32 bytes each in base64url, and a point of P-256");
  EXPECT_EQ(message(absl::StrCat(R"({"kty":"EC","crv":"P-256","d":"AA","x":")", kX, R"(","y":")", kY, "\"}")),
            "not a public JWK: it holds a private key; give the public one");
  EXPECT_EQ(message(R"({"kty":"RSA","n":"u1SU1LfVLPHCozMxH2Mo","e":"AQAB"})"),
            "RSA keys must have 2048 to 4096 bits; this one has 120");
  EXPECT_EQ(message(std::string(70'000, ' ')), "a public key file must be at most 64 KB");
  EXPECT_EQ(ERR_peek_error(), 0u) << "errors were left for the next user of this thread";
}

// P-384, made for this test and used nowhere.
constexpr char kP384[] = R"(-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEZa9vf1/qOsTMWNEsaoeTP/Gl+TL7a2Ir
/Jlv7PhHbYpXDHhrGufmIahED9X+zRH3UeDh2P4JaUu/bDZVBYboEhLS8ZM6yJC0
7PZngqNLZpeUSHaEKnaCRB5oNQRW+kSD
-----END PUBLIC KEY-----
)";
// P-256 under the password "x", made for this test and used nowhere.
constexpr char kEncrypted[] = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh32olzR53r3QICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEItz2NSLPO+3E0FJFR5EWd4EgZCi
PK/t58jICdMzTzE0AL9Kdj8G8RkrGnXRf2qUf7XtaN9Q123yMlGa5NmGFNQtw3X0
0umOOGb8bnu1GtjyNHKROH23KF7vZRulN54RDPKSBOZLZb6a/UmwbPDYqLbpd0P1
dUstlZwZLDeuGzOTFhoWzaQ3P2Ztvu4CqY986K7NLlGrx1BhwbTf+uD8AXFxGM4=
-----END ENCRYPTED PRIVATE KEY-----
)";

TEST(Keys, RefuseAnotherCurveAndAPassword) {
  EXPECT_EQ(PublicKey::FromPem(kP384).status().message(), "a key must be P-256 or RSA; this one is neither");
  EXPECT_EQ(PrivateKey::FromPem(kEncrypted).status().message(),
            "not a private key: expected PEM with BEGIN PRIVATE KEY, without a password, of type P-256 or RSA");
}

}  // namespace
}  // namespace smsflow::crypto
