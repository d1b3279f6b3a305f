#include "gateway/opener.h"

#include <utility>

namespace smsflow::gateway {

EnvelopeOpener::EnvelopeOpener(std::shared_ptr<const crypto::Vault> vault) : vault_(std::move(vault)) {}

std::optional<OpenedSms> EnvelopeOpener::Open(const engine::Lease& lease, Unreadable& why) const {
  constexpr Unreadable kEnvelope{About::kMessage, "envelope"};
  why = kEnvelope;
  auto envelope = vault_->Open(lease.tenant, lease.client_key, lease.payload);
  if (!envelope.ok()) return std::nullopt;
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
