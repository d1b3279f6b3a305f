#include "gateway/opener.h"

#include <algorithm>
#include <utility>

namespace smsflow::gateway {
namespace {

bool Has(const std::vector<std::string>& kids, const std::string& kid) {
  return std::find(kids.begin(), kids.end(), kid) != kids.end();
}

}  // namespace

EnvelopeOpener::EnvelopeOpener(std::shared_ptr<const crypto::Vault> vault) : vault_(std::move(vault)) {}

std::optional<OpenedSms> EnvelopeOpener::Open(const engine::Lease& lease, Unreadable& why) const {
  constexpr Unreadable kEnvelope{About::kMessage, "envelope"};
  why = kEnvelope;
  auto envelope = vault_->Open(lease.tenant, lease.client_key, lease.payload);
  if (!envelope.ok()) {
    // It was leased for a key that has been taken away since. One for which it was never leased is its client's
    // mistake.
    why.for_now = absl::IsNotFound(envelope.status()) && !lease.lane.empty() && !Has(vault_->kids(), lease.lane);
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
