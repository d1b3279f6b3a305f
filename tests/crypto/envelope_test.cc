#include "crypto/envelope.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <fstream>
#include <iterator>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "crypto/base64url.h"
#include "crypto/p256.h"
#include "crypto/random.h"
#include "tests/crypto/hex.h"

namespace smsflow::crypto {
namespace {

constexpr char kCannotOpen[] = "the envelope cannot be opened with this key, or was changed";

const PrivateKey& KeyOf(KeyKind kind) {
  static const PrivateKey p256 = PrivateKey::Generate(KeyKind::kP256);
  static const PrivateKey rsa = PrivateKey::Generate(KeyKind::kRsa);
  return kind == KeyKind::kP256 ? p256 : rsa;
}

std::string SealFor(KeyKind kind, std::string_view text) {
  auto sealed = SealEnvelope(KeyOf(kind).public_key(), "demo/a", text);
  EXPECT_TRUE(sealed.ok()) << sealed.status();
  return sealed.ok() ? *sealed : "";
}

// The envelope with its header's JSON replaced.
std::string WithHeader(std::string_view envelope, std::string_view json) {
  std::vector<std::string> parts = absl::StrSplit(std::string(envelope), '.');
  parts[0] = ToBase64Url(json);
  return absl::StrJoin(parts, ".");
}

std::string HeaderOf(std::string_view envelope) {
  return FromBase64Url(envelope.substr(0, envelope.find('.'))).value_or("");
}

std::string Refusal(std::string_view envelope) {
  const auto opened = OpenEnvelope(KeyOf(KeyKind::kP256), "demo/a", envelope);
  return opened.ok() ? "opened" : std::string(opened.status().message());
}

class Envelopes : public testing::TestWithParam<KeyKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Envelopes, testing::Values(KeyKind::kP256, KeyKind::kRsa));

TEST_P(Envelopes, OpenToWhatWasSealedAtEverySize) {
  std::mt19937 random(1);
  for (int size = 0; size < 200; ++size) {
    std::string text = RandomBytes(static_cast<std::size_t>(size) * (random() % 40));
    while (!text.empty() && text.back() == '\0') text.pop_back();
    const auto opened = OpenEnvelope(KeyOf(GetParam()), "demo/a", SealFor(GetParam(), text));
    ASSERT_TRUE(opened.ok()) << opened.status();
    ASSERT_EQ(opened->Reveal(), text);
    if (GetParam() == KeyKind::kRsa) size += 9;  // opening is slow
  }
}

TEST_P(Envelopes, TellTheirHeaderWithoutBeingOpened) {
  const auto header = ReadEnvelopeHeader(
      *SealEnvelope(KeyOf(GetParam()).public_key(), EnvelopeSubject("demo", "a \"b\" \n/ü"), "x", 1'700'000'000));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->algorithm, GetParam());
  EXPECT_EQ(header->kid, KeyOf(GetParam()).kid());
  EXPECT_EQ(header->subject, "demo/a \"b\" \n/ü");
  EXPECT_EQ(header->issued_at_s, 1'700'000'000);
}

TEST_P(Envelopes, HideTheLengthInStepsOf64) {
  EXPECT_EQ(SealFor(GetParam(), std::string(1, 'x')).size(), SealFor(GetParam(), std::string(64, 'x')).size());
  EXPECT_LT(SealFor(GetParam(), std::string(64, 'x')).size(), SealFor(GetParam(), std::string(65, 'x')).size());
}

TEST(Envelope, RefusesEveryChangedCharacter) {
  const std::string good = SealFor(KeyKind::kP256, "To: +255123456789\nSender: TEST\n\nS1D1");
  ASSERT_EQ(Refusal(good), "opened");
  for (std::size_t i = 0; i < good.size(); ++i)
    for (const int bit : {0, 1, 5}) {
      std::string changed = good;
      changed[i] = static_cast<char>(changed[i] ^ 1 << bit);
      EXPECT_NE(Refusal(changed), "opened") << "byte " << i << " bit " << bit;
    }
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_NE(Refusal(good.substr(0, size)), "opened") << size;
  EXPECT_NE(Refusal(good + "A"), "opened");
  EXPECT_EQ(ERR_peek_error(), 0u) << "errors were left for the next user of this thread";
}

TEST(Envelope, OfRsaRefusesChangesInEveryPart) {
  const std::string good = SealFor(KeyKind::kRsa, "text");
  for (std::size_t i = 0; i < good.size(); i += 37) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(OpenEnvelope(KeyOf(KeyKind::kRsa), "demo/a", changed).ok()) << i;
  }
}

TEST(Envelope, FailsWithOneTextWhateverTheSecretReason) {
  const std::string p256 = SealFor(KeyKind::kP256, "text");
  const std::string rsa = SealFor(KeyKind::kRsa, "text");
  const auto with_part = [](std::string_view envelope, std::size_t part, auto change) {
    std::vector<std::string> parts = absl::StrSplit(std::string(envelope), '.');
    std::string bytes = FromBase64Url(parts[part]).value();
    change(bytes);
    parts[part] = ToBase64Url(bytes);
    return absl::StrJoin(parts, ".");
  };
  const auto flip = [](std::string& bytes) { bytes[0] = static_cast<char>(bytes[0] ^ 1); };
  const auto halve = [](std::string& bytes) { bytes.resize(bytes.size() / 2); };
  const PrivateKey other = PrivateKey::Generate(KeyKind::kP256);
  const auto point = PointOf(KeyOf(KeyKind::kP256).get());
  const std::string off_curve =
      WithHeader(p256, absl::StrCat(R"({"alg":"ECDH-ES","enc":"A256GCM","kid":"k","sub":"demo/a","epk":{"kty":"EC",)"
                                    R"("crv":"P-256","x":")",
                                    ToBase64Url(point.x), R"(","y":")", ToBase64Url(point.x), R"("}})"));
  std::vector<absl::Status> failures = {
      OpenEnvelope(other, "demo/a", p256).status(),  // another key
      OpenEnvelope(other, "demo/a", rsa).status(),   // another kind of key
      OpenEnvelope(KeyOf(KeyKind::kP256), "demo/a", off_curve).status(),
  };
  for (const std::size_t part : {2u, 3u, 4u})
    failures.push_back(OpenEnvelope(KeyOf(KeyKind::kP256), "demo/a", with_part(p256, part, flip)).status());
  for (const std::size_t part : {1u, 3u, 4u})
    failures.push_back(OpenEnvelope(KeyOf(KeyKind::kRsa), "demo/a", with_part(rsa, part, flip)).status());
  failures.push_back(OpenEnvelope(KeyOf(KeyKind::kRsa), "demo/a", with_part(rsa, 1, halve)).status());
  for (const absl::Status& failure : failures) EXPECT_EQ(failure, absl::PermissionDeniedError(kCannotOpen));
}

TEST(Envelope, OpensForItsOwnSmsOnly) {
  const std::string sealed = SealFor(KeyKind::kP256, "text");
  for (const char* subject : {"demo/b", "other/a", "demo/", "demo/a ", ""})
    EXPECT_EQ(OpenEnvelope(KeyOf(KeyKind::kP256), subject, sealed).status(),
              absl::InvalidArgumentError("the envelope was sealed for another SMS: its sub is not this tenant/key"));
}

// Each header differs from a good one in one thing.
TEST(Envelope, TakesOnlyHeadersOfItsProfile) {
  const std::string sealed = SealFor(KeyKind::kP256, "text");
  const auto refusal = [&](std::string_view from, std::string_view to) {
    std::string header = HeaderOf(sealed);
    const auto at = header.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return Refusal(WithHeader(sealed, header.replace(at, from.size(), to)));
  };
  const std::string m = "the envelope is malformed: ";
  const std::string only = m + "its header may hold alg, enc, kid, epk, sub, typ and iat only";
  for (const char* extra :
       {R"("zip":"DEF",)", R"("crit":["exp"],)", R"("jku":"https://x",)", R"("x5u":"https://x",)", R"("jwk":{},)",
        R"("x5c":[],)", R"("apu":"QQ",)", R"("p2s":"QQ","p2c":1,)", R"("cty":"x",)", R"("ALG":"none",)"})
    EXPECT_EQ(refusal("{\"alg", absl::StrCat("{", extra, "\"alg")), only) << extra;
  for (const char* algorithm :
       {"none", "dir", "PBES2-HS256+A128KW", "RSA1_5", "RSA-OAEP", "ECDH-ES+A256KW", "ecdh-es", ""})
    EXPECT_EQ(refusal("ECDH-ES", algorithm), m + "alg must be ECDH-ES or RSA-OAEP-256") << algorithm;
  for (const char* encryption : {"A128GCM", "A256CBC-HS512", "none"})
    EXPECT_EQ(refusal("A256GCM", encryption), m + "enc must be A256GCM") << encryption;
  EXPECT_EQ(refusal("sms+jwe", "JWT"), m + "typ must be sms+jwe or absent");
  EXPECT_EQ(refusal("demo/a", "demo"), m + "sub must be tenant/key, at most 512 bytes");
  EXPECT_EQ(refusal("\"kid\":", "\"kid\":1,\"iat\":"), m + "kid must be a string of 1 to 512 bytes");
  EXPECT_EQ(refusal("{\"alg", "{\"iat\":\"now\",\"alg"), m + "iat must be whole Unix seconds");
  EXPECT_EQ(refusal("{\"alg", "{\"iat\":1.5,\"alg"), m + "iat must be whole Unix seconds");
  EXPECT_EQ(refusal("{\"alg", "{\"alg\":\"ECDH-ES\",\"alg"), m + "its header must be one JSON object, no member twice");
  EXPECT_EQ(refusal("{\"alg", "[{\"alg"), m + "its header must be one JSON object, no member twice");
  const std::string epk = m + "epk must be an EC key of curve P-256 with x and y of 32 bytes, and nothing else";
  EXPECT_EQ(refusal("P-256", "P-384"), epk);
  EXPECT_EQ(refusal("\"EC\"", "\"OKP\""), epk);
  EXPECT_EQ(refusal("\"crv\"", "\"d\":\"AA\",\"crv\""), epk);
  EXPECT_EQ(refusal("\"x\":\"", "\"x\":\"AAAA"), epk);
  EXPECT_EQ(refusal("\"epk\"", "\"iat\":1,\"epk\""), kCannotOpen);  // allowed, but the tag covers the header
  EXPECT_EQ(Refusal(WithHeader(sealed, "{\"sub\":\"demo/a" + std::string(3000, 'x') + "\"}")),
            m + "its header must be at most 2048 characters");
}

TEST(Envelope, TakesOnlyFivePartsOfStrictBase64Url) {
  const std::string sealed = SealFor(KeyKind::kP256, "text");
  const std::vector<std::string> good = absl::StrSplit(sealed, '.');
  const auto refusal = [&](std::size_t part, std::string_view text) {
    std::vector<std::string> parts = good;
    parts[part] = std::string(text);
    return Refusal(absl::StrJoin(parts, "."));
  };
  const std::string m = "the envelope is malformed: ";
  EXPECT_EQ(Refusal(""), m + "it must have five parts, joined by dots");
  EXPECT_EQ(Refusal(sealed + "."), m + "it must have five parts, joined by dots");
  EXPECT_EQ(Refusal(sealed.substr(sealed.find('.') + 1)), m + "it must have five parts, joined by dots");
  EXPECT_EQ(Refusal(std::string(20'000, 'A')), m + "it must be at most 16384 bytes");
  EXPECT_EQ(refusal(0, good[0] + "="), m + "its header must be base64url without padding");
  EXPECT_EQ(refusal(1, "AAAA"), m + "ECDH-ES has an empty second part");
  EXPECT_EQ(refusal(2, "AAAA"), m + "its iv must be 12 bytes");
  EXPECT_EQ(refusal(3, good[3] + " "), m + "its parts must be base64url without padding");
  EXPECT_EQ(refusal(3, "+/AA"), m + "its parts must be base64url without padding");
  EXPECT_EQ(refusal(4, "AAAA"), m + "its tag must be 16 bytes");
}

TEST(Envelope, IsNeverLargerThanAPayloadMayBe) {
  EXPECT_TRUE(SealEnvelope(KeyOf(KeyKind::kRsa).public_key(), "demo/a", std::string(11'000, 'x')).ok());
  EXPECT_EQ(SealEnvelope(KeyOf(KeyKind::kP256).public_key(), "demo/a", std::string(12'200, 'x')).status().message(),
            "cannot seal: the envelope would be larger than 16384 bytes");
  EXPECT_EQ(SealEnvelope(KeyOf(KeyKind::kP256).public_key(), "demo/a", std::string("x\0", 2)).status().message(),
            "cannot seal a text that ends in a zero byte");
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Envelope, OpensWhatAnotherImplementationSealed) {
  for (const std::string kind : {"ec", "rsa"}) {
    const auto key = PrivateKey::FromPem(ReadFile("tests/crypto/golden/" + kind + ".pem"));
    ASSERT_TRUE(key.ok()) << key.status();
    const std::string envelope = ReadFile("tests/crypto/golden/" + kind + ".jwe");
    EXPECT_EQ(ReadEnvelopeHeader(envelope)->kid, key->kid());
    const auto opened = OpenEnvelope(*key, EnvelopeSubject("demo", "a üb/1"), envelope);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->Reveal(), "To: +255123456789\nSender: TEST\n\nS1D1 à");
  }
}

// RFC 7518, appendix C.
TEST(ConcatKdf, GivesTheKeyOfTheRfc) {
  const Secret z(FromHex("9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4"));
  EXPECT_EQ(ToBase64Url(ConcatKdf(z, "A128GCM", "Alice", "Bob", 128).Reveal()), "VqqN6vgjbSBcIijNcacQGg");
}

TEST(Base64Url, HasOneTextForOneValue) {
  for (const auto& [bytes, text] : std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"\xfb\xff", "-_8"}}) {
    EXPECT_EQ(ToBase64Url(bytes), text);
    EXPECT_EQ(FromBase64Url(text), bytes);
  }
  for (const char* text : {"Z", "Zh", "Zm9", "Zg==", "Zm9v\n", "+/8", "Zm9vZ"})
    EXPECT_EQ(FromBase64Url(text), std::nullopt) << text;
}

}  // namespace
}  // namespace smsflow::crypto
