// Who is calling, and what for. One interface for all doors; keys from the configuration today, full identity later.
//
// No key, no entry. A caller learns of a wrong credential one constant text, whatever was wrong with it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/config.h"

namespace smsflow::server {

struct Caller {
  std::string name;                        // for journals and logs
  std::string tenant;                      // for whom it acts; empty for an administrator without tenants: all of them
  std::vector<std::string> tenants;        // what the credential allows; empty as above
  std::vector<std::string> gateways = {};  // as which it may attach; empty: any
  std::string account = {};                // whose password it was; empty: a credential of the configuration

  // An administrator of some tenants only must not see or touch the rest.
  bool May(std::string_view some_tenant) const;
  bool MayAll() const { return tenants.empty(); }
  // A gateway that attaches as another one, with a store of its own, would make the other's open leases UNKNOWN.
  bool MayBe(std::string_view some_gateway) const;
};

// What a door read from a request. Views are good for the duration of the call.
struct Presented {
  std::string_view authorization;  // "Bearer …"
  std::string_view tenant;         // of the metadata `smsflow-tenant`: which one, where the credential allows several
};

// Thread-safe; does not block.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // Whether the credential is known at all; UNAUTHENTICATED. For a door that looks before it reads what is asked.
  virtual absl::Status Recognize(std::string_view authorization) const = 0;
  // UNAUTHENTICATED; PERMISSION_DENIED: known, but not with this role or for this tenant; INVALID_ARGUMENT: a client's
  // key with several tenants that named none.
  virtual absl::StatusOr<Caller> Authenticate(const Presented& presented, Role role) const = 0;
};

// The caller that a known credential is with this role, for this tenant (empty: not named). The rule of Authenticate(),
// for whoever knows a credential in another way.
absl::StatusOr<Caller> CallerFor(const KeyConfig& key, std::string_view tenant, Role role);

std::unique_ptr<Authenticator> MakeKeyAuthenticator(std::vector<KeyConfig> keys);

}  // namespace smsflow::server
