// Which keys clients shall seal for, as they are published: a JWK Set (RFC 7517, section 5).
//
// Plain functions, safe to use from any thread; nothing blocks. Errors are InvalidArgument and quote nothing.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/keys.h"

namespace smsflow::crypto {

inline constexpr std::size_t kPublishedKeysMax = 100;

// One line. The first is the one that clients take; a key that stands there twice is written once.
std::string WriteJwks(std::span<const PublicKey> keys);

// The keys of a set that envelopes can be sealed for, at least one, in their order: those of other kinds, curves, uses
// or algorithms are skipped, as the RFC asks. A set with a private key in it is refused as a whole.
[[nodiscard]] absl::StatusOr<std::vector<PublicKey>> ReadJwks(std::string_view json);

// From the bytes of a file in any form: a JWK Set, or what PublicKey::FromFile() reads.
[[nodiscard]] absl::StatusOr<std::vector<PublicKey>> ReadPublicKeys(std::string_view contents);

}  // namespace smsflow::crypto
