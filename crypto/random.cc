#include "crypto/random.h"

#include <openssl/rand.h>

#include <algorithm>

#include "absl/strings/escaping.h"
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

std::string RandomUuid() {
  std::string bytes = RandomBytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  std::string text = absl::BytesToHexString(bytes);
  for (const std::size_t at : {20, 16, 12, 8}) text.insert(at, "-");
  return text;
}

}  // namespace smsflow::crypto
