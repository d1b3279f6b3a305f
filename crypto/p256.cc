#include "crypto/p256.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

#include "crypto/hash.h"
#include "crypto/require.h"

namespace smsflow::crypto {
namespace {

constexpr std::size_t kFieldBytes = 32;

struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_PKEY_CTX, FreeContext>;

struct WipeBignum {
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
};
struct FreeScratch {  // wipes what was in it
  void operator()(BN_CTX* scratch) const { BN_CTX_free(scratch); }
};
struct WipePoint {
  void operator()(EC_POINT* point) const { EC_POINT_clear_free(point); }
};

const EC_GROUP* Curve() {
  static const EC_GROUP* const curve = [] {
    const EC_GROUP* group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    Require(group != nullptr, "provide P-256");
    return group;
  }();
  return curve;
}

std::string BigEndian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string Coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  Require(EVP_PKEY_get_bn_param(key, name, &number) == 1, "read a point");
  std::string bytes(kFieldBytes, '\0');
  const int written = BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), kFieldBytes);
  BN_free(number);
  Require(written == static_cast<int>(kFieldBytes), "write a point");
  return bytes;
}

}  // namespace

bool IsP256(EVP_PKEY* key) {
  char name[64];
  return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, name, sizeof name, nullptr) == 1 &&
         std::string_view(name) == "prime256v1";
}

std::shared_ptr<EVP_PKEY> P256FromPoint(std::string_view x, std::string_view y) {
  if (x.size() != kFieldBytes || y.size() != kFieldBytes) return nullptr;
  std::string point = "\x04";
  point.append(x).append(y);
  char group[] = "prime256v1";
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                             OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
                             OSSL_PARAM_construct_end()};
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  Require(context && EVP_PKEY_fromdata_init(context.get()) == 1, "make a key from data");
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) return nullptr;
  return {key, EVP_PKEY_free};
}

Point PointOf(EVP_PKEY* key) {
  return {Coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X), Coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y)};
}

std::shared_ptr<EVP_PKEY> EphemeralP256() {
  EVP_PKEY* const key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  Require(key != nullptr, "make an ephemeral key");
  return {key, EVP_PKEY_free};
}

std::optional<Secret> Agree(EVP_PKEY* own, EVP_PKEY* peer) {
  const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
  Require(context != nullptr, "make a key agreement");
  Secret z(kFieldBytes);
  std::size_t size = z.size();
  if (EVP_PKEY_derive_init(context.get()) != 1 || EVP_PKEY_derive_set_peer(context.get(), peer) != 1 ||
      EVP_PKEY_derive(context.get(), z.bytes().data(), &size) != 1 || size != kFieldBytes)
    return std::nullopt;
  return z;
}

std::optional<Secret> AgreeWithPoint(EVP_PKEY* own, std::string_view x, std::string_view y) {
  if (x.size() != kFieldBytes || y.size() != kFieldBytes) return std::nullopt;
  std::array<unsigned char, 1 + 2 * kFieldBytes> encoded{0x04};
  std::copy(x.begin(), x.end(), encoded.begin() + 1);
  std::copy(y.begin(), y.end(), encoded.begin() + 1 + kFieldBytes);
  BIGNUM* scalar = nullptr;
  Require(EVP_PKEY_get_bn_param(own, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1, "read a private key");
  const std::unique_ptr<BIGNUM, WipeBignum> d(scalar);
  BN_set_flags(scalar, BN_FLG_CONSTTIME);
  const std::unique_ptr<BN_CTX, FreeScratch> scratch(BN_CTX_new());
  const std::unique_ptr<BIGNUM, WipeBignum> shared_x(BN_new());
  const std::unique_ptr<EC_POINT, WipePoint> peer(EC_POINT_new(Curve())), shared(EC_POINT_new(Curve()));
  Require(scratch && shared_x && peer && shared, "make a point");
  // Reading it checks that it is on the curve, and every point of this curve but infinity, which has no such encoding,
  // is of its prime order: nothing more is to be checked.
  if (EC_POINT_oct2point(Curve(), peer.get(), encoded.data(), encoded.size(), scratch.get()) != 1) return std::nullopt;
  Secret z(kFieldBytes);
  if (EC_POINT_mul(Curve(), shared.get(), nullptr, peer.get(), scalar, scratch.get()) != 1 ||
      EC_POINT_get_affine_coordinates(Curve(), shared.get(), shared_x.get(), nullptr, scratch.get()) != 1 ||
      BN_bn2binpad(shared_x.get(), z.bytes().data(), kFieldBytes) != static_cast<int>(kFieldBytes))
    return std::nullopt;
  return z;
}

Secret ConcatKdf(const Secret& z, std::string_view algorithm, std::string_view apu, std::string_view apv,
                 std::uint32_t key_bits) {
  Require(key_bits % 8 == 0 && key_bits <= 256, "derive a key longer than one round");
  const auto length = [](std::string_view part) { return BigEndian(static_cast<std::uint32_t>(part.size())); };
  Digest digest = Sha256(BigEndian(1), z.Reveal(), length(algorithm), algorithm, length(apu), apu, length(apv), apv,
                         BigEndian(key_bits));
  Secret key(std::string_view(AsView(digest)).substr(0, key_bits / 8));
  OPENSSL_cleanse(digest.data(), digest.size());
  return key;
}

}  // namespace smsflow::crypto
