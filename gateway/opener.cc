#include "gateway/opener.h"

#include <utility>

namespace smsflow::gateway {

EnvelopeOpener::EnvelopeOpener(std::shared_ptr<const crypto::Vault> vault) : vault_(std::move(vault)) {}

std::optional<OpenedSms> EnvelopeOpener::Open(const engine::Lease& lease, Unreadable& why) const {
  constexpr Unreadable kEnvelope{About::kMessage, "envelope"};
  why = kEnvelope;
  const crypto::Vault::Snapshot keys = vault_->Now();
  auto envelope = keys.Open(lease.tenant, lease.client_key, lease.payload);
  if (!envelope.ok()) {
    // It was leased for a key that has been taken away since, and may be back by now. One for which it was never leased
    // is its client's mistake.
    why.for_now = absl::IsNotFound(envelope.status()) && !lease.lane.empty() && !keys.Has(lease.lane);
    return std::nullopt;
  }
  OpenedSms opened{.plaintext = std::move(envelope->plaintext), .sms = {}};
  auto sms = ParsePlaintext(opened.plaintext.Reveal(), why);
  if (!sms.ok()) {
    if (!envelope->authentic) why = kEnvelope;
    return std::nullopt;
  }
  opened.sms = std::move(*sms);
  return opened;
}

}  // namespace smsflow::gateway
