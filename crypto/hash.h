// SHA-256, as fast as OpenSSL gives it: each thread keeps one context, so a call costs about 0.2 us and the data.
//
// Safe to use from any thread; nothing blocks, nothing allocates after a thread's first call. A digest cannot fail for
// any input; should OpenSSL itself be unable to compute (no memory, no provider), the process aborts, because no caller
// could go on with a journal that has no digest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace smsflow::crypto {

using Digest = std::array<std::uint8_t, 32>;
using Digest16 = std::array<std::uint8_t, 16>;  // a digest cut to its first 16 bytes

// The digest of all parts, one after the other, as if they were one string. Where parts vary in length and their
// borders matter, the caller must put lengths between them.
Digest Sha256(std::initializer_list<std::string_view> parts);

inline Digest Sha256(std::string_view bytes) { return Sha256({bytes}); }

template <typename... Parts>
requires(sizeof...(Parts) > 1) Digest Sha256(const Parts&... parts) { return Sha256({std::string_view(parts)...}); }

Digest16 Cut(const Digest& digest);

template <std::size_t N>
std::string_view AsView(const std::array<std::uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

// Compares in a time that does not depend on where the two differ. False when their lengths do.
bool EqualConstantTime(std::string_view a, std::string_view b);

}  // namespace smsflow::crypto
