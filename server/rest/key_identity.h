// The configuration's keys as users: the key's name is the user, its token the password. A key of the role client has
// the role of users and acts for its tenants, one of the role admin has that of admins.
//
// Thread-safe. A token is long and random, so nobody guesses it, and no slow hash is needed: nothing blocks.
#pragma once

#include <memory>
#include <vector>

#include "server/config.h"
#include "server/rest/identity.h"

namespace smsflow::server::rest {

std::unique_ptr<Identity> MakeKeyIdentity(std::vector<KeyConfig> keys);

}  // namespace smsflow::server::rest
