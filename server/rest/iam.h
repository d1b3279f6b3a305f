// /iam of the old contract: accounts, roles and clients, in its paths, fields and odd spellings. docs/rest.md has the
// list. What may be done by whom is decided by the accounts (server/accounts/accounts.h), not here.
//
// Thread-safe once registered.
#pragma once

#include <memory>

#include "server/accounts/accounts.h"
#include "server/grpc/workers.h"
#include "server/rest/identity.h"
#include "server/rest/router.h"

namespace smsflow::server::rest {

// Accounts by their passwords, and those that `others` knows by a name and a token: they come first, for to look is
// cheap. Both must outlive it.
std::unique_ptr<Identity> MakeAccountIdentity(Accounts& accounts, Identity& others);

// On `workers`, which wait for passwords to be hashed and for the disk, and outlive what is served, as the accounts do.
void AddAccountHandlers(Accounts& accounts, Router& router, Workers& workers);
void AddGroupHandlers(Accounts& accounts, Router& router, Workers& workers);

// Who asks, as the accounts want to know it. A credential of the configuration is no account, also where it is named
// like one.
By ByOf(const Principal& principal);
// One of some tenants only may not: accounts concern all.
bool MayAdminister(const Principal& principal);
bool IsAdmin(const Request& request);

// `{"id":…,"name":…,"email":…,"password":null,"groups":[…]}`
std::string JsonOf(const Account& account);
// A name that is the whole body: as it stands, or, where the body is said to be JSON, as a JSON string. Without white
// space around it.
std::string RawBody(const Request& request);
// 403 for whoever is no administrator; nullopt: it may.
std::optional<Response> NeedsAdmin(const Request& request);

}  // namespace smsflow::server::rest
