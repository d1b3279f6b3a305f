#include "gateway/opener.h"

#include <algorithm>
#include <utility>

#include "crypto/envelope.h"

namespace smsflow::gateway {

EnvelopeOpener::EnvelopeOpener(std::vector<crypto::PrivateKey> keys) : keys_(std::move(keys)) {}

std::optional<OpenedSms> EnvelopeOpener::Open(const engine::Lease& lease, Unreadable& why) const {
  why = {About::kMessage, "envelope"};
  const auto header = crypto::ReadEnvelopeHeader(lease.payload);
  if (!header.ok()) return std::nullopt;
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const auto& one) { return one.kid() == header->kid; });
  if (key == keys_.end()) return std::nullopt;
  auto plaintext = crypto::OpenEnvelope(*key, crypto::EnvelopeSubject(lease.tenant, lease.client_key), lease.payload);
  if (!plaintext.ok()) return std::nullopt;
  OpenedSms opened{.plaintext = std::move(*plaintext), .sms = {}};
  auto sms = ParsePlaintext(opened.plaintext.Reveal(), why);
  if (!sms.ok()) return std::nullopt;
  opened.sms = std::move(*sms);
  return opened;
}

}  // namespace smsflow::gateway
