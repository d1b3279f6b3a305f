#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "crypto/scrypt.h"
#include "engine/inspect_shard.h"
#include "storage/accounts.h"

namespace smsflow::engine {
namespace {

bool IsWhole(const stored::PasswordHash& password) {
  return password.algorithm() == storage::kScryptAlgorithm && password.salt().size() == 16 &&
         password.hash().size() == 32 && crypto::IsSane({password.log2_n(), password.r(), password.p()});
}

bool KnowsRoles(const stored::AccountRow& row) {
  for (const std::uint32_t role : row.roles())
    if (role != static_cast<std::uint32_t>(storage::AccountRole::kUsers) &&
        role != static_cast<std::uint32_t>(storage::AccountRole::kAdmins))
      return false;
  return true;
}

}  // namespace

void InspectAccounts(const storage::Store& view, InspectionSummary& summary, const Inspector::OnFinding& finding) {
  const auto all = storage::ReadAccounts(view);
  if (!all.ok()) return finding(std::string(all.status().message()));
  summary.accounts = all->accounts.size();
  summary.clients = all->clients.size();
  summary.account_changes = all->oldest == 0 ? 0 : all->chain.sequence - all->oldest + 1;
  const auto made = [&](const char* what, std::uint64_t number) {
    if (number == 0 || number > all->chain.sequence)
      finding(absl::StrCat(what, " ", number, ": no change made it, for its number is above the last one's"));
  };
  std::set<std::string> clients, accounts;
  for (const auto& [number, row] : all->clients) {
    made("client", number);
    if (!clients.insert(row.client()).second) finding(absl::StrCat("client ", number, ": another has its name"));
  }
  for (const auto& [number, row] : all->accounts) {
    made("account", number);
    if (!accounts.insert(row.account()).second) finding(absl::StrCat("account ", number, ": another has its name"));
    if (row.has_password() && !IsWhole(row.password()))
      finding(absl::StrCat("account ", number, ": what is kept of its password is not whole"));
    if (!KnowsRoles(row)) finding(absl::StrCat("account ", number, ": it has a role that there is not"));
    for (const std::string& client : row.clients())
      if (!clients.contains(client))
        finding(absl::StrCat("account ", number, ": it is a member of a client that there is not"));
  }
}

}  // namespace smsflow::engine
