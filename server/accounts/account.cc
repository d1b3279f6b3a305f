#include "server/accounts/account.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace smsflow::server {

namespace {

constexpr std::size_t kIdBytesMax = 64;
constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kEmailBytesMax = 254;
constexpr std::size_t kPasswordBytesMax = 256;

// What a basic credential, a path and a line of text can hold without being taken for something else.
bool IsPlain(std::string_view text, std::string_view also) {
  return !text.empty() && text.size() <= kIdBytesMax && std::all_of(text.begin(), text.end(), [also](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || also.find(c) != std::string_view::npos;
  });
}

}  // namespace

bool IsRole(std::string_view name) { return name == kUsers || name == kAdmins; }

std::vector<std::string> Account::Groups() const {
  std::vector<std::string> groups = roles;
  groups.insert(groups.end(), clients.begin(), clients.end());
  std::sort(groups.begin(), groups.end());
  return groups;
}

void CheckAccountId(std::string_view id, const char* field, Violations& violations) {
  if (!IsPlain(id, "._-@+") || id == "." || id == "..")
    violations.push_back({field, "must be 1 to 64 characters of A-Z a-z 0-9 . _ - @ +"});
}

void CheckClientId(std::string_view id, const char* field, Violations& violations) {
  if (!IsPlain(id, "._-") || id == "." || id == "..")
    violations.push_back({field, "must be 1 to 64 characters of A-Z a-z 0-9 . _ -"});
}

void CheckPassword(std::string_view password, const char* field, Violations& violations) {
  if (password.empty() || password.size() > kPasswordBytesMax || !IsPrintable(password))
    violations.push_back({field, "must be 1 to 256 bytes of printable UTF-8"});
}

void CheckFields(const AccountFields& fields, Violations& violations) {
  if (fields.name && (fields.name->size() > kNameBytesMax || !IsPrintable(*fields.name)))
    violations.push_back({"name", "must be at most 128 bytes of printable UTF-8"});
  if (fields.email && (fields.email->size() > kEmailBytesMax || !IsPrintable(*fields.email)))
    violations.push_back({"email", "must be at most 254 bytes of printable UTF-8"});
  if (fields.password) CheckPassword(fields.password->Reveal(), "password", violations);
}

}  // namespace smsflow::server
