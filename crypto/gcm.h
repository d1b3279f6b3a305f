// AES-256-GCM over whole buffers: an internal header of crypto/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/secret.h"

namespace smsflow::crypto {

inline constexpr std::size_t kGcmKeyBytes = 32;
inline constexpr std::size_t kGcmIvBytes = 12;
inline constexpr std::size_t kGcmTagBytes = 16;

struct GcmSealed {
  std::string ciphertext, tag;
};

// `iv` must never repeat under one key.
GcmSealed GcmSeal(const Secret& key, std::string_view iv, std::string_view additional, std::string_view plaintext);

// nullopt when the tag does not fit: nothing of the plaintext is shown then.
std::optional<Secret> GcmOpen(const Secret& key, std::string_view iv, std::string_view additional,
                              std::string_view ciphertext, std::string_view tag);

}  // namespace smsflow::crypto
