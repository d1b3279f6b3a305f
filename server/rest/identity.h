// Who asks over HTTP, and how it is known: by a name and a password that somebody else keeps.
//
// A Principal is a value. An Identity is thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace smsflow::server::rest {

// Roles and tenants are different things, though the old contract lets both look like groups: what a person may do is
// looked up among the roles, for whom among the tenants, and never one in place of the other.
struct Principal {
  std::string user;
  std::vector<std::string> roles;    // of the fixed ones, "users" and "admins"; sorted
  std::vector<std::string> tenants;  // for which it may act; sorted
  std::uint64_t version = 0;         // of what it was made from: see Identity::IsCurrent()
  bool of_all_tenants = false;       // as an administrator; else it administers some of them, and no accounts

  bool HasRole(std::string_view role) const;
  bool ActsFor(std::string_view tenant) const;
};
inline constexpr char kUsersRole[] = "users";
inline constexpr char kAdminsRole[] = "admins";

class Identity {
 public:
  virtual ~Identity() = default;
  // UNAUTHENTICATED: the name is unknown or the password is another; the same text and about the same time for both.
  // Blocks for as long as a password's hash takes, so it is never called on a thread that serves connections. Any other
  // error: nobody can tell now.
  virtual absl::StatusOr<Principal> Check(std::string_view user, std::string_view password) = 0;
  // Whether Check() would still answer this: false once the account, its password or a group of it was changed, or
  // anything at all. Called for each request with a credential that was verified within the last minute: does not
  // block, and costs no more than a look into memory.
  virtual bool IsCurrent(const Principal& principal) const = 0;
};

}  // namespace smsflow::server::rest
