#include "crypto/vault.h"

#include <functional>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "crypto/envelope.h"
#include "crypto/old_envelope.h"

namespace smsflow::crypto {
namespace {

// ASCII alone, as aliases are.
std::string Lower(std::string_view text) {
  std::string lower(text);
  absl::AsciiStrToLower(&lower);
  return lower;
}

}  // namespace

struct Vault::Keys {
  std::vector<std::string> kids;
  std::map<std::string, PrivateKey, std::less<>> by_kid;
  std::map<std::string, std::vector<PrivateKey>, std::less<>> by_alias;
};

Vault::Vault(OldEnvelopes old) : old_(old), keys_(std::make_shared<const Keys>()) {}
Vault::~Vault() = default;

void Vault::Replace(std::vector<VaultKey> keys) {
  auto fresh = std::make_shared<Keys>();
  for (VaultKey& entry : keys) {
    if (!entry.alias.empty()) fresh->by_alias[entry.alias].push_back(entry.key);
    const std::string kid = entry.key.kid();
    if (fresh->by_kid.try_emplace(kid, std::move(entry.key)).second) fresh->kids.push_back(kid);
  }
  std::shared_ptr<const Keys> gone = std::move(fresh);
  const std::lock_guard lock(mutex_);
  keys_.swap(gone);
}

Vault::Snapshot::Snapshot(std::shared_ptr<const Keys> keys, OldEnvelopes old) : keys_(std::move(keys)), old_(old) {}

Vault::Snapshot Vault::Now() const {
  const std::lock_guard lock(mutex_);
  return {keys_, old_};
}

std::vector<std::string> Vault::kids() const { return Now().keys_->kids; }

bool Vault::Snapshot::Has(std::string_view kid) const { return keys_->by_kid.contains(kid); }

absl::StatusOr<Vault::Opened> Vault::Snapshot::Open(std::string_view tenant, std::string_view client_key,
                                                    std::string_view payload) const {
  if (!LooksLikeOldEnvelope(payload)) {
    auto plaintext = OpenEnvelope(
        [this](std::string_view kid) {
          const auto found = keys_->by_kid.find(kid);
          return found == keys_->by_kid.end() ? nullptr : &found->second;
        },
        EnvelopeSubject(tenant, client_key), payload);
    if (!plaintext.ok()) return plaintext.status();
    return Opened{*std::move(plaintext), true};
  }
  if (old_ == OldEnvelopes::kRefused)
    return absl::FailedPreconditionError("the envelope has the old format, which this gateway does not take");
  auto found = keys_->by_alias.find(tenant);
  if (found == keys_->by_alias.end()) found = keys_->by_alias.find(Lower(tenant));
  if (found == keys_->by_alias.end())
    return absl::NotFoundError("the envelope has the old format, and no key here has the tenant as its alias");
  auto plaintext = OpenOldEnvelope(found->second, payload);
  if (!plaintext.ok()) return plaintext.status();
  return Opened{*std::move(plaintext), false};
}

}  // namespace smsflow::crypto
