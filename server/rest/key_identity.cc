#include "server/rest/key_identity.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "server/rest/gate.h"

namespace smsflow::server::rest {

namespace {

class KeyIdentity final : public Identity {
 public:
  explicit KeyIdentity(std::vector<KeyConfig> keys) : keys_(std::move(keys)) {}

  absl::StatusOr<Principal> Check(std::string_view user, std::string_view password) override {
    // Looks at every key whether or not one fits, so that time tells nothing.
    const crypto::Digest digest = crypto::Sha256(password);
    const KeyConfig* found = nullptr;
    for (const KeyConfig& key : keys_) {
      const bool same = crypto::EqualConstantTime(crypto::AsView(digest), crypto::AsView(key.sha256));
      if (same && key.name == user && (key.roles & (kClient | kAdmin)) != 0) found = &key;
    }
    if (found == nullptr) return Gate::Unknown();
    Principal principal;
    principal.user = found->name;
    principal.of_all_tenants = found->tenants.empty();
    if ((found->roles & kAdmin) != 0) principal.roles.emplace_back(kAdminsRole);
    if ((found->roles & kClient) != 0) {
      principal.roles.emplace_back(kUsersRole);
      principal.tenants = found->tenants;
      std::sort(principal.tenants.begin(), principal.tenants.end());
    }
    return principal;
  }
  bool IsCurrent(const Principal&) const override { return true; }  // they are read once, at the start

 private:
  const std::vector<KeyConfig> keys_;
};

}  // namespace

std::unique_ptr<Identity> MakeKeyIdentity(std::vector<KeyConfig> keys) {
  return std::make_unique<KeyIdentity>(std::move(keys));
}

}  // namespace smsflow::server::rest
