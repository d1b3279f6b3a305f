#include "server/grpc/iam_service.h"

#include <utility>

#include "server/grpc/admin_service.h"
#include "server/grpc/status.h"

namespace smsflow::server {

template <auto kVerb, class Asked, class Given>
void IamService::Run(UnaryCall* call, const Asked* asked, Given* given) {
  auto caller = CallerOf(doors_, *call, kAdmin);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  if (absl::Status status = NeedsAll(*caller); !status.ok()) return call->Finish(ToGrpc(status));
  const bool taken = doors_.reads->TryRun([this, call, asked, given, by = By{caller->name, true, caller->account}] {
    Violations violations;
    const absl::Status status = (iam_.*kVerb)(by, *asked, *given, violations);
    call->Finish(ToGrpc(status, violations));
  });
  if (!taken) call->Finish(TooManyReads());
}

void IamService::Serve(CallQueue& queue) {
  using Self = IamService;
  queue.Unary(wire_, "ListAccounts", *this,
              &Self::Run<&Iam::ListAccounts, v1::ListAccountsRequest, v1::ListAccountsResponse>);
  queue.Unary(wire_, "GetAccount", *this, &Self::Run<&Iam::GetAccount, v1::GetAccountRequest, v1::Account>);
  queue.Unary(wire_, "CreateAccount", *this, &Self::Run<&Iam::CreateAccount, v1::CreateAccountRequest, v1::Account>);
  queue.Unary(wire_, "UpdateAccount", *this, &Self::Run<&Iam::UpdateAccount, v1::UpdateAccountRequest, v1::Account>);
  queue.Unary(wire_, "SetPassword", *this, &Self::Run<&Iam::SetPassword, v1::SetPasswordRequest, v1::Account>);
  queue.Unary(wire_, "DeleteAccount", *this,
              &Self::Run<&Iam::DeleteAccount, v1::DeleteAccountRequest, v1::IamChangeResponse>);
  queue.Unary(wire_, "ListRoles", *this, &Self::Run<&Iam::ListRoles, v1::ListRolesRequest, v1::ListRolesResponse>);
  queue.Unary(wire_, "ListClients", *this,
              &Self::Run<&Iam::ListClients, v1::ListClientsRequest, v1::ListClientsResponse>);
  queue.Unary(wire_, "GetClient", *this, &Self::Run<&Iam::GetClient, v1::GetClientRequest, v1::IamGroup>);
  queue.Unary(wire_, "CreateClient", *this, &Self::Run<&Iam::CreateClient, v1::CreateClientRequest, v1::IamGroup>);
  queue.Unary(wire_, "DeleteClient", *this,
              &Self::Run<&Iam::DeleteClient, v1::DeleteClientRequest, v1::IamChangeResponse>);
  queue.Unary(wire_, "AddMember", *this, &Self::Run<&Iam::AddMember, v1::MemberRequest, v1::IamChangeResponse>);
  queue.Unary(wire_, "RemoveMember", *this, &Self::Run<&Iam::RemoveMember, v1::MemberRequest, v1::IamChangeResponse>);
  queue.Unary(wire_, "ListIamChanges", *this,
              &Self::Run<&Iam::ListIamChanges, v1::ListIamChangesRequest, v1::ListIamChangesResponse>);
}

}  // namespace smsflow::server
