// What envelopes and keys share about the curve P-256: an internal header of crypto/.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/secret.h"

typedef struct evp_pkey_st EVP_PKEY;

namespace smsflow::crypto {

bool IsP256(EVP_PKEY* key);

// Null unless both are 32 bytes and the point lies on the curve.
std::shared_ptr<EVP_PKEY> P256FromPoint(std::string_view x, std::string_view y);

// The x and y of a P-256 key, 32 bytes each.
struct Point {
  std::string x, y;
};
Point PointOf(EVP_PKEY* key);

// A fresh key pair, for one envelope.
std::shared_ptr<EVP_PKEY> EphemeralP256();

// The shared secret Z, 32 bytes; nullopt when the two do not fit.
std::optional<Secret> Agree(EVP_PKEY* own, EVP_PKEY* peer);
// The same with a peer that is a point, as an envelope brings it; nullopt unless that lies on the curve. `own` has a
// private half. Makes no key of the point, which would cost as much as the arithmetic.
std::optional<Secret> AgreeWithPoint(EVP_PKEY* own, std::string_view x, std::string_view y);

// Concat KDF of RFC 7518, section 4.6.2, for keys of at most 256 bits: one round of SHA-256.
Secret ConcatKdf(const Secret& z, std::string_view algorithm, std::string_view apu, std::string_view apv,
                 std::uint32_t key_bits);

}  // namespace smsflow::crypto
