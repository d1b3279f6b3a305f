// Who may log in, as everybody but the store sees it: values, and the form that their fields must have.
//
// Roles and tenants are different things: a role says what a person may do, a client (a tenant that accounts can be
// members of) for whom. Both have names, and none has the name of the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/secret.h"
#include "server/violations.h"

namespace smsflow::server {

inline constexpr char kUsers[] = "users";    // may use the verbs of clients, for the tenants it is a member of
inline constexpr char kAdmins[] = "admins";  // may do what administrators do
bool IsRole(std::string_view name);

struct Account {
  std::string id;
  std::string name;                  // empty: none
  std::string email;                 // empty: none
  std::vector<std::string> roles;    // sorted
  std::vector<std::string> clients;  // sorted
  bool has_password = false;         // else it cannot log in
  std::int64_t created_ms = 0;
  std::int64_t changed_ms = 0;
  std::int64_t password_ms = 0;  // when it was set; 0: never

  std::vector<std::string> Groups() const;  // roles and clients together, sorted
};

// A role or a client, with those who are in it.
struct Group {
  std::string id;
  bool is_role = false;
  std::vector<std::string> accounts;  // sorted
  std::int64_t created_ms = 0;        // of a client
};

struct AccountFields {
  std::optional<std::string> name;
  std::optional<std::string> email;
  std::optional<crypto::Secret> password;
  std::optional<std::vector<std::string>> roles;    // all of them, in any order
  std::optional<std::vector<std::string>> clients;  // the same
};

struct AccountChangeSeen {
  std::uint64_t sequence = 0;
  std::int64_t at_ms = 0;
  std::string actor;
  std::string what;  // "account made", …
  std::string account;
  std::string group;
  std::string details;
};

// The form of what a request holds; what is wrong is added.
void CheckAccountId(std::string_view id, const char* field, Violations& violations);
void CheckClientId(std::string_view id, const char* field, Violations& violations);
void CheckPassword(std::string_view password, const char* field, Violations& violations);
void CheckFields(const AccountFields& fields, Violations& violations);  // but for groups, which must be known

}  // namespace smsflow::server
