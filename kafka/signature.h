// Who wrote a record, shown by an HMAC in its header `smsflow-signature`, for a broker's ACLs know topics and no
// tenants:
//
//   smsflow-signature: NAME:SECONDS:MAC
//   MAC  := base64url(HMAC-SHA256(a key of NAME, text)), without padding
//   text := smsflow-1 LF NAME LF SECONDS LF TOPIC LF length of KEY LF KEY LF VALUE
//
// SECONDS: when it was signed, Unix time. KEY: the value of the header `idempotency-key`, nothing where there is none;
// its length is its bytes', decimal. So a signed record can neither be changed nor be moved to another topic.
//
// Pure functions over values; safe from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kafka/headers.h"

namespace smsflow::kafka {

// By name; several of one name while they are changed: each is good.
using SigningKeys = std::map<std::string, std::vector<std::string>, std::less<>>;

inline constexpr std::size_t kSigningKeyBytesMin = 32;

// NAME HEX on a line, at least 32 bytes of it; empty lines and those that begin with # count for nothing.
// INVALID_ARGUMENT names the line by its number, and nothing that stands in it.
absl::StatusOr<SigningKeys> ParseSigningKeys(std::string_view text);

// What is signed.
struct SignedRecord {
  std::string_view topic;
  std::string_view value;
  std::string_view idempotency_key;
};
// The header's value.
std::string Sign(const SignedRecord& record, std::string_view name, std::string_view key, std::int64_t at_s);

struct SignatureRules {
  std::int64_t now_s = 0;
  std::int64_t valid_s = 0;  // for so long after it was signed
};
// The name. UNAUTHENTICATED, with the rule and nothing of the record: there is no such header, it has no such form, no
// key of that name made it, it is older than it may be, or of more than 5 minutes from now.
absl::StatusOr<std::string> SignerOf(const SignedRecord& record, std::span<const HeaderView> headers,
                                     const SigningKeys& keys, const SignatureRules& rules);

}  // namespace smsflow::kafka
