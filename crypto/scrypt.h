// scrypt (RFC 7914): a password made into 32 bytes at a cost that whoever steals the result must pay for each guess.
//
// Safe from any thread. A call takes as long as its cost says (about 0.1 s for 2^15, 8, 1) and holds 128 · N · r bytes
// meanwhile: whoever lets strangers call it bounds how many do at once. Nothing else blocks.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace smsflow::crypto {

struct ScryptCost {
  std::uint32_t log2_n = 15;
  std::uint32_t r = 8;
  std::uint32_t p = 1;
};

// Of what is stored, too: a row that was made up must not ask for all the memory there is.
inline constexpr std::uint64_t kScryptBytesMax = 64 << 20;
bool IsSane(const ScryptCost& cost);  // at most kScryptBytesMax, and p at most 16

// INVALID_ARGUMENT for a cost that is not sane; RESOURCE_EXHAUSTED where the memory is not to be had.
absl::StatusOr<std::array<std::uint8_t, 32>> Scrypt(std::string_view password, std::string_view salt,
                                                    const ScryptCost& cost);

}  // namespace smsflow::crypto
