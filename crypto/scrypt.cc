#include "crypto/scrypt.h"

#include <openssl/evp.h>

#include "crypto/error_mark.h"

namespace smsflow::crypto {
namespace {

std::uint64_t BytesOf(const ScryptCost& cost) { return (std::uint64_t{128} << cost.log2_n) * cost.r; }

}  // namespace

bool IsSane(const ScryptCost& cost) {
  return cost.log2_n >= 1 && cost.log2_n <= 24 && cost.r >= 1 && cost.r <= 64 && cost.p >= 1 && cost.p <= 16 &&
         BytesOf(cost) <= kScryptBytesMax;
}

absl::StatusOr<std::array<std::uint8_t, 32>> Scrypt(std::string_view password, std::string_view salt,
                                                    const ScryptCost& cost) {
  if (!IsSane(cost)) return absl::InvalidArgumentError("scrypt: no such cost is allowed");
  const ErrorMark mark;
  std::array<std::uint8_t, 32> key{};
  // OpenSSL counts the blocks of p, too, and a little of its own.
  const std::uint64_t most = BytesOf(cost) + std::uint64_t{128} * cost.r * cost.p + (1 << 20);
  if (EVP_PBE_scrypt(password.data(), password.size(), reinterpret_cast<const unsigned char*>(salt.data()), salt.size(),
                     std::uint64_t{1} << cost.log2_n, cost.r, cost.p, most, key.data(), key.size()) != 1) {
    return absl::ResourceExhaustedError("scrypt: there is no memory for it now");
  }
  return key;
}

}  // namespace smsflow::crypto
