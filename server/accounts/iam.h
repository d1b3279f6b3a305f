// smsflow.v1.Iam over the accounts: what each verb does, whichever door it was asked at.
//
// `asked` and `given` are the messages of the verb; INVALID_ARGUMENT comes with violations. Thread-safe; blocks as the
// accounts do, so never on a thread that serves connections.
#pragma once

#include "absl/status/status.h"
#include "server/accounts/accounts.h"
#include "smsflow/v1/iam.pb.h"

namespace smsflow::server {

namespace v1 = ::smsflow::v1;

class Iam {
 public:
  // `accounts` must outlive it.
  explicit Iam(Accounts& accounts) : accounts_(accounts) {}

  absl::Status ListAccounts(const By& by, const v1::ListAccountsRequest& asked, v1::ListAccountsResponse& given,
                            Violations& violations);
  absl::Status GetAccount(const By& by, const v1::GetAccountRequest& asked, v1::Account& given, Violations& violations);
  absl::Status CreateAccount(const By& by, const v1::CreateAccountRequest& asked, v1::Account& given,
                             Violations& violations);
  absl::Status UpdateAccount(const By& by, const v1::UpdateAccountRequest& asked, v1::Account& given,
                             Violations& violations);
  absl::Status SetPassword(const By& by, const v1::SetPasswordRequest& asked, v1::Account& given,
                           Violations& violations);
  absl::Status DeleteAccount(const By& by, const v1::DeleteAccountRequest& asked, v1::IamChangeResponse& given,
                             Violations& violations);
  absl::Status ListRoles(const By& by, const v1::ListRolesRequest& asked, v1::ListRolesResponse& given,
                         Violations& violations);
  absl::Status ListClients(const By& by, const v1::ListClientsRequest& asked, v1::ListClientsResponse& given,
                           Violations& violations);
  absl::Status GetClient(const By& by, const v1::GetClientRequest& asked, v1::IamGroup& given, Violations& violations);
  absl::Status CreateClient(const By& by, const v1::CreateClientRequest& asked, v1::IamGroup& given,
                            Violations& violations);
  absl::Status DeleteClient(const By& by, const v1::DeleteClientRequest& asked, v1::IamChangeResponse& given,
                            Violations& violations);
  absl::Status AddMember(const By& by, const v1::MemberRequest& asked, v1::IamChangeResponse& given,
                         Violations& violations);
  absl::Status RemoveMember(const By& by, const v1::MemberRequest& asked, v1::IamChangeResponse& given,
                            Violations& violations);
  absl::Status ListIamChanges(const By& by, const v1::ListIamChangesRequest& asked, v1::ListIamChangesResponse& given,
                              Violations& violations);

 private:
  Accounts& accounts_;
};

}  // namespace smsflow::server
