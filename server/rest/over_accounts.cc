#include "server/rest/over_accounts.h"

#include "server/rest/iam.h"
#include "server/rest/key_identity.h"

namespace smsflow::server::rest {

namespace {

constexpr std::size_t kHashingMax = 100;
constexpr std::size_t kShowingMax = 1'000;

}  // namespace

OverAccounts::OverAccounts(const Config& config, Accounts& accounts, CallQueue& calls,
                           const Authenticator& authenticator)
    : accounts_(accounts),
      authenticator_(authenticator),
      keys_(MakeKeyIdentity(config.keys)),
      identity_(MakeAccountIdentity(accounts, *keys_)),
      hashing_(1, kHashingMax),
      showing_(1, kShowingMax),
      api_({&calls, &authenticator, &showing_, SMSFLOW_VERSION}) {}

void OverAccounts::AddTo(RestParts& parts) {
  parts.identity = identity_.get();
  parts.tokens = &authenticator_;
  parts.more = [this](Router& router, Workers&) {
    AddAccountHandlers(accounts_, router, hashing_);
    AddGroupHandlers(accounts_, router, hashing_);
    api_.Register(router);
  };
}

}  // namespace smsflow::server::rest
