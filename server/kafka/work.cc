#include "server/kafka/work.h"

#include <algorithm>
#include <array>

#include "crypto/hash.h"

namespace smsflow::server {

namespace {

std::string LengthOf(std::string_view part) {
  std::string length(8, '\0');
  for (int i = 0; i < 8; ++i) length[static_cast<std::size_t>(7 - i)] = static_cast<char>(part.size() >> (8 * i));
  return length;
}

}  // namespace

storage::Hash16 DigestOf(const Raw& record) {
  std::string lengths = LengthOf(record.key) + LengthOf(record.value) + std::to_string(record.timestamp_ms) + '\n';
  std::string headers;
  for (const kafka::HeaderView& header : record.headers) {
    headers += LengthOf(header.name) + LengthOf(header.value);
    headers.append(header.name).append(header.value);
  }
  const auto digest = crypto::Cut(crypto::Sha256(lengths, record.key, record.value, headers));
  storage::Hash16 cut{};
  std::copy(digest.begin(), digest.end(), cut.begin());
  return cut;
}

absl::StatusOr<Actor> ActorOf(const Raw& record, const std::string& client, std::string_view idempotency_key,
                              const Acting& acting, std::int64_t now_ms) {
  if (const auto topic = acting.topics.find(std::string(record.topic)); topic != acting.topics.end()) {
    if (topic->second.contains(client)) return Actor{"kafka:" + topic->first};
    return absl::PermissionDeniedError("client: the topic is not this tenant's");
  }
  const bool is_signed = kafka::FindHeader(record.headers, kafka::kSignature).has_value();
  if (!acting.signers.empty() && (is_signed || !acting.unsigned_ok)) {
    auto name = kafka::SignerOf({record.topic, record.value, idempotency_key}, record.headers, acting.signing_keys,
                                {now_ms / 1000, acting.signed_for_ms / 1000});
    if (!name.ok()) return name.status();
    const auto signer = acting.signers.find(*name);
    if (signer == acting.signers.end() || !signer->second.contains(client))
      return absl::PermissionDeniedError("client: who signed the record does not act for it");
    return Actor{"kafka:" + *name, true};
  }
  if (!acting.unsigned_ok)
    return absl::PermissionDeniedError(
        "client: a record of this topic must be signed, or kafka.unsigned be switched on");
  if (!acting.tenants.contains(client)) return absl::PermissionDeniedError("client: there is no such tenant");
  return Actor{"kafka"};
}

}  // namespace smsflow::server
