// The envelope of the gateway that smsflow replaces, for as long as its clients are being moved:
//
//   envelope := base64( head wrapped-key text )       standard alphabet, with padding
//   head     := u32, big-endian: 0x4342 in the upper 18 bits, the length of wrapped-key in the lower 14 (hence "ENC…")
//   wrapped-key := RSA-OAEP (SHA-256) of a fresh 32-byte key
//   text     := AES-256-CFB128 of the plaintext with PKCS#7 padding to 16, IV = MD5(key)
//
// It has no tag: whoever can write it can change the text, or address it to another number, without the key. And it is
// bound to no SMS. So nothing that it opens to is authentic, and no answer may tell why something in it was wrong.
//
// Plain functions, safe to use from any thread; nothing blocks. About 1,500 of RSA-2048 open a second on one core.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/keys.h"
#include "crypto/secret.h"

namespace smsflow::crypto {

// By its first characters alone: what is meant for this format, rather than a JWE.
bool LooksLikeOldEnvelope(std::string_view payload);

// InvalidArgument when the key is not RSA, or the envelope would be larger than kEnvelopeBytesMax.
[[nodiscard]] absl::StatusOr<std::string> SealOldEnvelope(const PublicKey& key, std::string_view plaintext);

// With the first of `keys` that fits. InvalidArgument names the rule of form that was broken; every other failure is
// PermissionDenied with one and the same text. A changed text may well open.
[[nodiscard]] absl::StatusOr<Secret> OpenOldEnvelope(std::span<const PrivateKey> keys, std::string_view envelope);

// The inner cipher, for tests with known keys: `key` is 32 bytes. nullopt: the padding is wrong.
std::string SealOldText(const Secret& key, std::string_view plaintext);
std::optional<Secret> OpenOldText(const Secret& key, std::string_view ciphertext);

}  // namespace smsflow::crypto
