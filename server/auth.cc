#include "server/auth.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "crypto/hash.h"

namespace smsflow::server {

namespace {

constexpr std::string_view kScheme = "Bearer ";
constexpr std::size_t kTokenBytesMax = 1'024;

absl::Status Unknown() { return absl::UnauthenticatedError("the credential is missing or unknown"); }

const char* NameOf(Role role) { return role == kClient ? "client" : role == kGateway ? "gateway" : "admin"; }

class KeyAuthenticator final : public Authenticator {
 public:
  explicit KeyAuthenticator(std::vector<KeyConfig> keys) : keys_(std::move(keys)) {}

  absl::Status Recognize(std::string_view authorization) const override {
    return Find(authorization) == nullptr ? Unknown() : absl::OkStatus();
  }
  absl::StatusOr<Caller> Authenticate(const Presented& presented, Role role) const override {
    const KeyConfig* key = Find(presented.authorization);
    if (key == nullptr) return Unknown();
    return CallerFor(*key, presented.tenant, role);
  }

 private:
  // Looks at every key whether or not one fits, so that time tells nothing.
  const KeyConfig* Find(std::string_view authorization) const {
    if (authorization.size() <= kScheme.size() || authorization.size() > kScheme.size() + kTokenBytesMax ||
        !absl::EqualsIgnoreCase({authorization.data(), kScheme.size()}, {kScheme.data(), kScheme.size()})) {
      return nullptr;
    }
    const crypto::Digest digest = crypto::Sha256(authorization.substr(kScheme.size()));
    const KeyConfig* found = nullptr;
    for (const KeyConfig& key : keys_) {
      if (crypto::EqualConstantTime(crypto::AsView(digest), crypto::AsView(key.sha256))) found = &key;
    }
    return found;
  }

  const std::vector<KeyConfig> keys_;
};

bool IsIn(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

absl::StatusOr<Caller> CallerFor(const KeyConfig& key, std::string_view tenant, Role role) {
  if ((key.roles & role) == 0) {
    return absl::PermissionDeniedError(std::string("the credential has not the role ") + NameOf(role));
  }
  Caller caller{key.name, {}, key.tenants, key.gateways};
  if (!tenant.empty()) {
    if (!caller.May(tenant)) {
      return absl::PermissionDeniedError("smsflow-tenant: the credential does not allow it");
    }
    caller.tenant = tenant;
  } else if (key.tenants.size() == 1) {
    caller.tenant = key.tenants.front();
  } else if (role == kClient) {
    return absl::InvalidArgumentError("smsflow-tenant: must name one of the credential's tenants");
  }
  return caller;
}

bool Caller::May(std::string_view some_tenant) const { return tenants.empty() || IsIn(tenants, some_tenant); }
bool Caller::MayBe(std::string_view some_gateway) const { return gateways.empty() || IsIn(gateways, some_gateway); }

std::unique_ptr<Authenticator> MakeKeyAuthenticator(std::vector<KeyConfig> keys) {
  return std::make_unique<KeyAuthenticator>(std::move(keys));
}

}  // namespace smsflow::server
