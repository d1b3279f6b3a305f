#include <utility>

#include "server/rest/iam.h"

namespace smsflow::server::rest {

namespace {

class AccountIdentity final : public Identity {
 public:
  AccountIdentity(Accounts& accounts, Identity& others) : accounts_(accounts), others_(others) {}

  absl::StatusOr<Principal> Check(std::string_view user, std::string_view password) override {
    auto other = others_.Check(user, password);
    if (!absl::IsUnauthenticated(other.status())) return other;
    auto login = accounts_.Check(user, password);
    if (!login.ok()) return login.status();
    return Principal{std::move(login->account.id), std::move(login->account.roles), std::move(login->account.clients),
                     login->version, true};
  }

  bool IsCurrent(const Principal& principal) const override {
    return principal.version == 0 ? others_.IsCurrent(principal)
                                  : accounts_.IsCurrent(principal.user, principal.version);
  }

 private:
  Accounts& accounts_;
  Identity& others_;
};

}  // namespace

std::unique_ptr<Identity> MakeAccountIdentity(Accounts& accounts, Identity& others) {
  return std::make_unique<AccountIdentity>(accounts, others);
}

bool MayAdminister(const Principal& principal) { return principal.HasRole(kAdminsRole) && principal.of_all_tenants; }

// An account's version is that of its last change, and so above 0.
By ByOf(const Principal& principal) {
  return {principal.user, MayAdminister(principal), principal.version == 0 ? "" : principal.user};
}

}  // namespace smsflow::server::rest
