// What the REST door has because there are accounts: who may log in, /iam, /api/v1. Put together for whoever starts it.
//
// Must outlive the door, and be outlived by what it is made of.
#pragma once

#include <memory>
#include <string>

#include "server/accounts/accounts.h"
#include "server/auth.h"
#include "server/config.h"
#include "server/grpc/call_queue.h"
#include "server/rest/api.h"
#include "server/rest/identity.h"
#include "server/rest/rest_door.h"

namespace smsflow::server::rest {

class OverAccounts {
 public:
  OverAccounts(const Config& config, Accounts& accounts, CallQueue& calls, const Authenticator& authenticator);

  // Sets identity, tokens and handlers.
  void AddTo(RestParts& parts);

 private:
  Accounts& accounts_;
  const Authenticator& authenticator_;
  const std::unique_ptr<Identity> keys_;
  const std::unique_ptr<Identity> identity_;
  Workers hashing_;  // of /iam: waits for passwords, so that no other request does
  Workers showing_;  // of /api/v1
  Api api_;
};

}  // namespace smsflow::server::rest
