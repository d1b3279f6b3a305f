#include "crypto/jwks.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "crypto/json_object.h"

namespace smsflow::crypto {
namespace {

constexpr std::size_t kJwksBytesMax = 256 * 1024;

absl::Status Refuse(std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("not a JWK Set: ", std::string(why)));
}

// Whether it says that it is for something that we do not do.
bool IsForSomethingElse(const JsonObject& jwk) {
  const auto type = jwk.String("kty");
  const bool ec = type == "EC" && jwk.String("crv") == "P-256";
  if (!ec && type != "RSA") return true;
  if (jwk.Find("use") != nullptr && jwk.String("use") != "enc") return true;
  return jwk.Find("alg") != nullptr && jwk.String("alg") != (ec ? "ECDH-ES" : "RSA-OAEP-256");
}

bool HasKid(std::span<const PublicKey> keys, std::string_view kid) {
  return std::any_of(keys.begin(), keys.end(), [kid](const PublicKey& key) { return key.kid() == kid; });
}

absl::StatusOr<std::vector<PublicKey>> KeysOf(const JsonObject& set) {
  const JsonMember* const members = set.Find("keys");
  if (members == nullptr || members->kind != JsonMember::Kind::kArray) return Refuse("keys must be an array of JWKs");
  if (members->object.members.size() > kPublishedKeysMax) return Refuse("it must hold at most 100 keys");
  std::vector<PublicKey> keys;
  for (const JsonMember& member : members->object.members) {
    if (member.kind != JsonMember::Kind::kObject) return Refuse("keys must be an array of JWKs");
    if (member.object.Find("d") != nullptr || member.object.Find("k") != nullptr)
      return Refuse("it holds a private key; give the public ones");
    if (IsForSomethingElse(member.object)) continue;
    auto key = PublicKey::FromJwk(member.object);
    if (!key.ok()) return key.status();
    if (!HasKid(keys, key->kid())) keys.push_back(*std::move(key));
  }
  if (keys.empty())
    return Refuse("it holds no key that can be sealed for: EC P-256 with ECDH-ES, or RSA with RSA-OAEP-256");
  return keys;
}

}  // namespace

std::string WriteJwks(std::span<const PublicKey> keys) {
  std::string json = "{\"keys\":[";
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (HasKid(keys.first(i), keys[i].kid())) continue;
    absl::StrAppend(&json, i == 0 ? "" : ",", keys[i].ToJwk());
  }
  return json + "]}";
}

absl::StatusOr<std::vector<PublicKey>> ReadJwks(std::string_view json) {
  if (json.size() > kJwksBytesMax) return Refuse("it must be at most 256 KB");
  const auto set = ParseJsonObject(json);
  if (!set) return Refuse("it must be one JSON object");
  return KeysOf(*set);
}

absl::StatusOr<std::vector<PublicKey>> ReadPublicKeys(std::string_view contents) {
  if (contents.size() <= kJwksBytesMax) {
    const auto object = ParseJsonObject(contents);
    if (object && object->Find("keys") != nullptr) return KeysOf(*object);
  }
  auto key = PublicKey::FromFile(contents);
  if (!key.ok()) return key.status();
  return std::vector{*std::move(key)};
}

}  // namespace smsflow::crypto
