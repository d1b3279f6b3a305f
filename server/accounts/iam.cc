#include "server/accounts/iam.h"

#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "server/page_size.h"

namespace smsflow::server {

namespace {

absl::Status OnlyAdmins(const By& by) {
  return by.admin ? absl::OkStatus() : absl::PermissionDeniedError("the credential has not the role admin");
}

void Fill(const Account& account, v1::Account& given) {
  given.set_account(account.id);
  given.set_name(account.name);
  given.set_email(account.email);
  given.mutable_roles()->Assign(account.roles.begin(), account.roles.end());
  given.mutable_clients()->Assign(account.clients.begin(), account.clients.end());
  given.set_has_password(account.has_password);
  given.set_created_ms(account.created_ms);
  given.set_changed_ms(account.changed_ms);
  given.set_password_ms(account.password_ms);
}

absl::Status Fill(const absl::StatusOr<Account>& account, v1::Account& given) {
  if (account.ok()) Fill(*account, given);
  return account.status();
}

void Fill(const Group& group, v1::IamGroup& given) {
  given.set_name(group.id);
  given.mutable_accounts()->Assign(group.accounts.begin(), group.accounts.end());
  given.set_created_ms(group.created_ms);
}

absl::Status Fill(const absl::StatusOr<bool>& changed, v1::IamChangeResponse& given) {
  if (changed.ok()) given.set_changed(*changed);
  return changed.status();
}

std::vector<std::string> Copy(const google::protobuf::RepeatedPtrField<std::string>& names) {
  return {names.begin(), names.end()};
}

// What cannot be a name is looked up in vain: only what would be made is looked at for its form.
absl::StatusOr<std::string> GroupOf(const v1::MemberRequest& asked, Violations& violations) {
  if (asked.group_case() == v1::MemberRequest::GROUP_NOT_SET) {
    violations.push_back({"group", "must be one of role and client"});
    return ToStatus(violations);
  }
  const bool is_role = asked.group_case() == v1::MemberRequest::kRole;
  const std::string& group = is_role ? asked.role() : asked.client();
  if (IsRole(group) != is_role)
    return absl::NotFoundError(is_role ? "role: there is none of this name" : "client: there is none of this name");
  return group;
}

}  // namespace

absl::Status Iam::ListAccounts(const By& by, const v1::ListAccountsRequest& asked, v1::ListAccountsResponse& given,
                               Violations& violations) {
  if (absl::Status status = OnlyAdmins(by); !status.ok()) return status;
  const std::uint32_t most = PageSize(asked.page_size(), violations);
  if (!violations.empty()) return ToStatus(violations);
  const std::vector<Account> accounts = accounts_.List(asked.page_token(), most + 1);
  for (const Account& account : accounts) {
    if (given.items_size() == static_cast<int>(most)) {
      given.set_next_page_token(given.items(given.items_size() - 1).account());
      break;
    }
    Fill(account, *given.add_items());
  }
  return absl::OkStatus();
}

absl::Status Iam::GetAccount(const By& by, const v1::GetAccountRequest& asked, v1::Account& given, Violations&) {
  return Fill(accounts_.Get(by, asked.account()), given);
}

absl::Status Iam::CreateAccount(const By& by, const v1::CreateAccountRequest& asked, v1::Account& given,
                                Violations& violations) {
  AccountFields fields;
  fields.name = asked.name();
  fields.email = asked.email();
  if (!asked.password().empty()) fields.password = crypto::Secret(asked.password());
  fields.roles = Copy(asked.roles());
  fields.clients = Copy(asked.clients());
  return Fill(accounts_.Create(by, asked.account(), std::move(fields), violations), given);
}

absl::Status Iam::UpdateAccount(const By& by, const v1::UpdateAccountRequest& asked, v1::Account& given,
                                Violations& violations) {
  AccountFields fields;
  if (asked.has_name()) fields.name = asked.name();
  if (asked.has_email()) fields.email = asked.email();
  if (asked.has_roles()) fields.roles = Copy(asked.roles().names());
  if (asked.has_clients()) fields.clients = Copy(asked.clients().names());
  return Fill(accounts_.Update(by, asked.account(), std::move(fields), violations), given);
}

absl::Status Iam::SetPassword(const By& by, const v1::SetPasswordRequest& asked, v1::Account& given,
                              Violations& violations) {
  AccountFields fields;
  fields.password = crypto::Secret(asked.password());
  return Fill(accounts_.Update(by, asked.account(), std::move(fields), violations), given);
}

absl::Status Iam::DeleteAccount(const By& by, const v1::DeleteAccountRequest& asked, v1::IamChangeResponse& given,
                                Violations&) {
  return Fill(accounts_.Delete(by, asked.account()), given);
}

absl::Status Iam::ListRoles(const By& by, const v1::ListRolesRequest&, v1::ListRolesResponse& given, Violations&) {
  if (absl::Status status = OnlyAdmins(by); !status.ok()) return status;
  for (const Group& group : accounts_.Roles()) Fill(group, *given.add_items());
  return absl::OkStatus();
}

absl::Status Iam::ListClients(const By& by, const v1::ListClientsRequest& asked, v1::ListClientsResponse& given,
                              Violations& violations) {
  if (absl::Status status = OnlyAdmins(by); !status.ok()) return status;
  const std::uint32_t most = PageSize(asked.page_size(), violations);
  if (!violations.empty()) return ToStatus(violations);
  for (const Group& group : accounts_.Clients(asked.page_token(), most + 1)) {
    if (given.items_size() == static_cast<int>(most)) {
      given.set_next_page_token(given.items(given.items_size() - 1).name());
      break;
    }
    Fill(group, *given.add_items());
  }
  return absl::OkStatus();
}

absl::Status Iam::GetClient(const By& by, const v1::GetClientRequest& asked, v1::IamGroup& given, Violations&) {
  if (absl::Status status = OnlyAdmins(by); !status.ok()) return status;
  const std::optional<Group> group = accounts_.Client(asked.client());
  if (!group) return absl::NotFoundError("client: there is none of this name");
  Fill(*group, given);
  return absl::OkStatus();
}

absl::Status Iam::CreateClient(const By& by, const v1::CreateClientRequest& asked, v1::IamGroup& given,
                               Violations& violations) {
  const absl::Status status = accounts_.CreateClient(by, asked.client(), violations);
  if (status.ok()) {
    if (const auto group = accounts_.Client(asked.client())) Fill(*group, given);
  }
  return status;
}

absl::Status Iam::DeleteClient(const By& by, const v1::DeleteClientRequest& asked, v1::IamChangeResponse& given,
                               Violations&) {
  return Fill(accounts_.DeleteClient(by, asked.client()), given);
}

absl::Status Iam::AddMember(const By& by, const v1::MemberRequest& asked, v1::IamChangeResponse& given,
                            Violations& violations) {
  if (absl::Status status = OnlyAdmins(by); !status.ok()) return status;
  const auto group = GroupOf(asked, violations);
  return group.ok() ? Fill(accounts_.AddMember(by, *group, asked.account()), given) : group.status();
}

absl::Status Iam::RemoveMember(const By& by, const v1::MemberRequest& asked, v1::IamChangeResponse& given,
                               Violations& violations) {
  if (absl::Status status = OnlyAdmins(by); !status.ok()) return status;
  const auto group = GroupOf(asked, violations);
  return group.ok() ? Fill(accounts_.RemoveMember(by, *group, asked.account()), given) : group.status();
}

absl::Status Iam::ListIamChanges(const By& by, const v1::ListIamChangesRequest& asked,
                                 v1::ListIamChangesResponse& given, Violations& violations) {
  if (absl::Status status = OnlyAdmins(by); !status.ok()) return status;
  const std::uint32_t most = PageSize(asked.page_size(), violations);
  std::uint64_t before = 0;
  if (!asked.page_token().empty() && (!absl::SimpleAtoi(asked.page_token(), &before) || before == 0))
    violations.push_back({"page_token", "must be one that a page before gave"});
  if (!violations.empty()) return ToStatus(violations);
  const auto changes = accounts_.Changes(before, most);
  if (!changes.ok()) return changes.status();
  for (const AccountChangeSeen& change : *changes) {
    v1::IamChange* row = given.add_items();
    row->set_sequence(change.sequence);
    row->set_at_ms(change.at_ms);
    row->set_actor(change.actor);
    row->set_what(change.what);
    row->set_account(change.account);
    row->set_group(change.group);
    row->set_details(change.details);
  }
  if (changes->size() == most && changes->back().sequence > 1)
    given.set_next_page_token(std::to_string(changes->back().sequence));
  return absl::OkStatus();
}

}  // namespace smsflow::server
