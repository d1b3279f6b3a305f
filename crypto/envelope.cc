#include "crypto/envelope.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "crypto/base64url.h"
#include "crypto/error_mark.h"
#include "crypto/gcm.h"
#include "crypto/hash.h"
#include "crypto/json_object.h"
#include "crypto/oaep.h"
#include "crypto/p256.h"
#include "crypto/random.h"
#include "crypto/require.h"

namespace smsflow::crypto {
namespace {

constexpr std::string_view kEncryption = "A256GCM";
constexpr std::string_view kType = "sms+jwe";
constexpr std::size_t kHeaderBytesMax = 2048;
constexpr std::size_t kNameBytesMax = 512;
constexpr std::array<std::string_view, 7> kAllowed = {"alg", "enc", "kid", "epk", "sub", "typ", "iat"};
constexpr std::array<std::string_view, 4> kAllowedInEpk = {"kty", "crv", "x", "y"};

absl::Status Malformed(std::string_view rule) {
  return absl::InvalidArgumentError(absl::StrCat("the envelope is malformed: ", std::string(rule)));
}

// The one answer to everything that went wrong behind the form.
absl::Status CannotOpen() {
  return absl::PermissionDeniedError("the envelope cannot be opened with this key, or was changed");
}

struct Parts {
  std::string_view header_text;  // as it stands: the additional data
  EnvelopeHeader header;
  std::string epk_x, epk_y;  // for ECDH-ES
  std::string encrypted_key, iv, ciphertext, tag;
};

// Null when there are not exactly five.
std::optional<std::array<std::string_view, 5>> Split(std::string_view envelope) {
  std::array<std::string_view, 5> parts;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto dot = envelope.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    parts[i] = envelope.substr(0, dot);
    envelope.remove_prefix(dot + 1);
  }
  if (envelope.find('.') != std::string_view::npos) return std::nullopt;
  parts[4] = envelope;
  return parts;
}

template <std::size_t N>
bool OnlyAllowed(const JsonObject& object, const std::array<std::string_view, N>& allowed) {
  return std::all_of(object.members.begin(), object.members.end(), [&](const JsonMember& member) {
    return std::find(allowed.begin(), allowed.end(), member.name) != allowed.end();
  });
}

absl::Status ReadEpk(const JsonObject& header, Parts& parts) {
  const JsonMember* const epk = header.Find("epk");
  if (parts.header.algorithm == KeyKind::kRsa)
    return epk == nullptr ? absl::OkStatus() : Malformed("RSA-OAEP-256 has no epk in its header");
  constexpr std::string_view kRule = "epk must be an EC key of curve P-256 with x and y of 32 bytes, and nothing else";
  if (epk == nullptr || epk->kind != JsonMember::Kind::kObject || !OnlyAllowed(epk->object, kAllowedInEpk))
    return Malformed(kRule);
  const auto x = FromBase64Url(epk->object.String("x").value_or(""));
  const auto y = FromBase64Url(epk->object.String("y").value_or(""));
  if (epk->object.String("kty") != "EC" || epk->object.String("crv") != "P-256" || !x || !y || x->size() != 32 ||
      y->size() != 32)
    return Malformed(kRule);
  parts.epk_x = *x;
  parts.epk_y = *y;
  return absl::OkStatus();
}

absl::Status ReadNames(const JsonObject& header, EnvelopeHeader& out) {
  const auto kid = header.String("kid");
  if (!kid || kid->empty() || kid->size() > kNameBytesMax) return Malformed("kid must be a string of 1 to 512 bytes");
  out.kid = *kid;
  const auto subject = header.String("sub");
  if (!subject || subject->size() > kNameBytesMax || subject->find('/') == std::string_view::npos)
    return Malformed("sub must be tenant/key, at most 512 bytes");
  out.subject = *subject;
  if (header.Find("typ") != nullptr && header.String("typ") != kType) return Malformed("typ must be sms+jwe or absent");
  if (const JsonMember* const issued = header.Find("iat")) {
    if (issued->kind != JsonMember::Kind::kInteger) return Malformed("iat must be whole Unix seconds");
    out.issued_at_s = issued->integer;
  }
  return absl::OkStatus();
}

absl::Status ReadHeader(std::string_view text, Parts& parts) {
  if (text.size() > kHeaderBytesMax) return Malformed("its header must be at most 2048 characters");
  const auto json = FromBase64Url(text);
  if (!json) return Malformed("its header must be base64url without padding");
  const auto header = ParseJsonObject(*json);
  if (!header) return Malformed("its header must be one JSON object, no member twice");
  if (!OnlyAllowed(*header, kAllowed))
    return Malformed("its header may hold alg, enc, kid, epk, sub, typ and iat only");
  const auto algorithm = header->String("alg");
  if (algorithm == "RSA-OAEP-256")
    parts.header.algorithm = KeyKind::kRsa;
  else if (algorithm != "ECDH-ES")
    return Malformed("alg must be ECDH-ES or RSA-OAEP-256");
  if (header->String("enc") != kEncryption) return Malformed("enc must be A256GCM");
  if (absl::Status status = ReadNames(*header, parts.header); !status.ok()) return status;
  return ReadEpk(*header, parts);
}

absl::StatusOr<Parts> ReadParts(std::string_view envelope) {
  if (envelope.size() > kEnvelopeBytesMax) return Malformed("it must be at most 16384 bytes");
  const auto texts = Split(envelope);
  if (!texts) return Malformed("it must have five parts, joined by dots");
  Parts parts;
  parts.header_text = (*texts)[0];
  if (absl::Status status = ReadHeader(parts.header_text, parts); !status.ok()) return status;
  std::string* const fields[] = {&parts.encrypted_key, &parts.iv, &parts.ciphertext, &parts.tag};
  for (std::size_t i = 0; i < 4; ++i) {
    auto bytes = FromBase64Url((*texts)[i + 1]);
    if (!bytes) return Malformed("its parts must be base64url without padding");
    *fields[i] = *std::move(bytes);
  }
  if (parts.header.algorithm == KeyKind::kP256 && !parts.encrypted_key.empty())
    return Malformed("ECDH-ES has an empty second part");
  if (parts.header.algorithm == KeyKind::kRsa && parts.encrypted_key.empty())
    return Malformed("RSA-OAEP-256 has an encrypted key as its second part");
  if (parts.iv.size() != kGcmIvBytes) return Malformed("its iv must be 12 bytes");
  if (parts.tag.size() != kGcmTagBytes) return Malformed("its tag must be 16 bytes");
  return parts;
}

std::optional<Secret> ContentKey(const PrivateKey& key, const Parts& parts) {
  if (parts.header.algorithm != key.public_key().kind()) return std::nullopt;
  if (parts.header.algorithm == KeyKind::kRsa) {
    // A wrapped key that does not open leaves a random one, and the tag then fails: so the two failures look alike, as
    // RFC 7516, section 11.5 advises.
    Secret content_key(kGcmKeyBytes);
    FillRandom(content_key.bytes());
    (void)OaepUnwrap(key.get(), parts.encrypted_key, content_key);
    return content_key;
  }
  const auto z = AgreeWithPoint(key.get(), parts.epk_x, parts.epk_y);
  if (!z) return std::nullopt;
  return ConcatKdf(*z, kEncryption, "", "", 256);
}

std::string HeaderJson(const PublicKey& key, std::string_view subject, std::int64_t issued_at_s,
                       std::string_view epk_members) {
  std::string json = absl::StrCat("{\"alg\":\"", key.kind() == KeyKind::kRsa ? "RSA-OAEP-256" : "ECDH-ES",
                                  "\",\"enc\":\"", std::string(kEncryption), "\",\"typ\":\"", std::string(kType),
                                  "\",\"kid\":", JsonQuoted(key.kid()), ",\"sub\":", JsonQuoted(subject));
  if (issued_at_s > 0) absl::StrAppend(&json, ",\"iat\":", issued_at_s);
  absl::StrAppend(&json, std::string(epk_members), "}");
  return json;
}

Secret Padded(std::string_view plaintext) {
  Secret padded((plaintext.size() + kPaddingStep - 1) / kPaddingStep * kPaddingStep);
  std::copy(plaintext.begin(), plaintext.end(), padded.bytes().begin());
  return padded;
}

}  // namespace

std::string EnvelopeSubject(std::string_view tenant, std::string_view key) {
  return absl::StrCat(std::string(tenant), "/", std::string(key));
}

absl::StatusOr<std::string> SealEnvelope(const PublicKey& key, std::string_view subject, std::string_view plaintext,
                                         std::int64_t issued_at_s) {
  if (!plaintext.empty() && plaintext.back() == '\0')
    return absl::InvalidArgumentError("cannot seal a text that ends in a zero byte");
  if (plaintext.size() > kEnvelopeBytesMax)
    return absl::InvalidArgumentError("cannot seal: the envelope would be larger than 16384 bytes");
  Secret content_key(kGcmKeyBytes);
  std::string encrypted_key, epk;
  if (key.kind() == KeyKind::kRsa) {
    FillRandom(content_key.bytes());
    encrypted_key = OaepWrap(key.get(), content_key);
  } else {
    const auto ephemeral = EphemeralP256();
    const auto z = Agree(ephemeral.get(), key.get());
    Require(z.has_value(), "agree with a checked key");
    content_key = ConcatKdf(*z, kEncryption, "", "", 256);
    const Point point = PointOf(ephemeral.get());
    epk = absl::StrCat(",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"", ToBase64Url(point.x), "\",\"y\":\"",
                       ToBase64Url(point.y), "\"}");
  }
  const std::string header = ToBase64Url(HeaderJson(key, subject, issued_at_s, epk));
  const std::string iv = RandomBytes(kGcmIvBytes);
  const GcmSealed sealed = GcmSeal(content_key, iv, header, Padded(plaintext).Reveal());
  std::string envelope = absl::StrCat(header, ".", ToBase64Url(encrypted_key), ".", ToBase64Url(iv), ".",
                                      ToBase64Url(sealed.ciphertext), ".", ToBase64Url(sealed.tag));
  if (envelope.size() > kEnvelopeBytesMax)
    return absl::InvalidArgumentError("cannot seal: the envelope would be larger than 16384 bytes");
  return envelope;
}

absl::StatusOr<EnvelopeHeader> ReadEnvelopeHeader(std::string_view envelope) {
  auto parts = ReadParts(envelope);
  if (!parts.ok()) return parts.status();
  return std::move(parts->header);
}

absl::StatusOr<Secret> OpenEnvelope(const KeyFinder& find, std::string_view subject, std::string_view envelope) {
  const ErrorMark mark;
  const auto parts = ReadParts(envelope);
  if (!parts.ok()) return parts.status();
  const PrivateKey* const key = find(parts->header.kid);
  if (key == nullptr)
    return absl::NotFoundError("the envelope was sealed for a key that is not here: its kid is unknown or retired");
  if (!EqualConstantTime(parts->header.subject, subject))
    return absl::InvalidArgumentError("the envelope was sealed for another SMS: its sub is not this tenant/key");
  const auto content_key = ContentKey(*key, *parts);
  if (!content_key) return CannotOpen();
  const auto padded = GcmOpen(*content_key, parts->iv, parts->header_text, parts->ciphertext, parts->tag);
  if (!padded) return CannotOpen();
  std::string_view plaintext = padded->Reveal();
  while (!plaintext.empty() && plaintext.back() == '\0') plaintext.remove_suffix(1);
  return Secret(plaintext);
}

absl::StatusOr<Secret> OpenEnvelope(const PrivateKey& key, std::string_view subject, std::string_view envelope) {
  return OpenEnvelope([&key](std::string_view) { return &key; }, subject, envelope);
}

}  // namespace smsflow::crypto
