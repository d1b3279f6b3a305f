#include "crypto/random.h"

#include <openssl/rand.h>

#include <algorithm>

#include "crypto/require.h"

namespace smsflow::crypto {

void FillRandom(std::span<std::uint8_t> bytes) {
  constexpr std::size_t kMostAtOnce = 1 << 20;  // RAND_bytes counts in int
  while (!bytes.empty()) {
    const auto chunk = bytes.first(std::min(bytes.size(), kMostAtOnce));
    Require(RAND_bytes(chunk.data(), static_cast<int>(chunk.size())) == 1, "give random bytes");
    bytes = bytes.subspan(chunk.size());
  }
}

std::string RandomBytes(std::size_t count) {
  std::string bytes(count, '\0');
  FillRandom({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

std::uint64_t Random64() {
  std::uint8_t bytes[8];
  FillRandom(bytes);
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

}  // namespace smsflow::crypto
