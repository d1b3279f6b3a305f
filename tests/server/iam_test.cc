// smsflow.v1.Iam from the outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/server/site.h"

namespace smsflow::server {
namespace {

using grpc::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class IamTest : public testing::Test {
 protected:
  v1::Account Create(const std::string& id, const std::string& password = "secret") {
    v1::CreateAccountRequest request;
    request.set_account(id);
    request.set_password(password);
    request.add_roles("users");
    v1::Account account;
    const grpc::Status status = site.iam->CreateAccount(Site::As(kRoot).get(), request, &account);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return account;
  }
  template <class Asked, class Given>
  grpc::Status Ask(grpc::Status (v1::Iam::StubInterface::*verb)(grpc::ClientContext*, const Asked&, Given*),
                   const Asked& asked, Given& given, const char* token = kRoot) {
    return (static_cast<v1::Iam::StubInterface&>(*site.iam).*verb)(Site::As(token).get(), asked, &given);
  }
  using Stub = v1::Iam::StubInterface;

  Site site;
};

TEST_F(IamTest, OnlyAnAdministratorOfAll) {
  v1::ListAccountsResponse list;
  EXPECT_EQ(Ask(&Stub::ListAccounts, {}, list, kAcme).error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Ask(&Stub::ListAccounts, {}, list, kKeeper).error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Ask(&Stub::ListAccounts, {}, list, "nobody").error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(Ask(&Stub::ListAccounts, {}, list).ok());
}

TEST_F(IamTest, ALifeOfAnAccount) {
  v1::CreateClientRequest clinic;
  clinic.set_client("clinic");
  v1::IamGroup group;
  ASSERT_TRUE(Ask(&Stub::CreateClient, clinic, group).ok());
  EXPECT_EQ(group.name(), "clinic");
  EXPECT_EQ(Ask(&Stub::CreateClient, clinic, group).error_code(), StatusCode::ALREADY_EXISTS);

  const v1::Account made = Create("ann");
  EXPECT_TRUE(made.has_password());
  EXPECT_GT(made.created_ms(), 0);
  v1::MemberRequest member;
  member.set_client("clinic");
  member.set_account("ann");
  v1::IamChangeResponse changed;
  ASSERT_TRUE(Ask(&Stub::AddMember, member, changed).ok());
  EXPECT_TRUE(changed.changed());
  v1::UpdateAccountRequest update;
  update.set_account("ann");
  update.set_email("ann@example.org");
  v1::Account account;
  ASSERT_TRUE(Ask(&Stub::UpdateAccount, update, account).ok());
  EXPECT_EQ(account.email(), "ann@example.org");
  EXPECT_THAT(account.roles(), ElementsAre("users"));
  EXPECT_THAT(account.clients(), ElementsAre("clinic"));
  v1::SetPasswordRequest password;
  password.set_account("ann");
  password.set_password("another");
  ASSERT_TRUE(Ask(&Stub::SetPassword, password, account).ok());
  EXPECT_TRUE(site.accounts->Check("ann", "another").ok());

  v1::GetClientRequest which;
  which.set_client("clinic");
  ASSERT_TRUE(Ask(&Stub::GetClient, which, group).ok());
  EXPECT_THAT(group.accounts(), ElementsAre("ann"));
  v1::ListRolesResponse roles;
  ASSERT_TRUE(Ask(&Stub::ListRoles, {}, roles).ok());
  ASSERT_EQ(roles.items_size(), 2);
  EXPECT_EQ(roles.items(0).name(), "admins");
  EXPECT_THAT(roles.items(1).accounts(), ElementsAre("ann"));

  v1::DeleteAccountRequest end;
  end.set_account("ann");
  ASSERT_TRUE(Ask(&Stub::DeleteAccount, end, changed).ok());
  EXPECT_TRUE(changed.changed());
  ASSERT_TRUE(Ask(&Stub::DeleteAccount, end, changed).ok());
  EXPECT_FALSE(changed.changed());
  v1::GetAccountRequest get;
  get.set_account("ann");
  EXPECT_EQ(Ask(&Stub::GetAccount, get, account).error_code(), StatusCode::NOT_FOUND);

  v1::ListIamChangesRequest page;
  page.set_page_size(4);
  v1::ListIamChangesResponse changes;
  ASSERT_TRUE(Ask(&Stub::ListIamChanges, page, changes).ok());
  ASSERT_EQ(changes.items_size(), 4);
  EXPECT_EQ(changes.items(0).what(), "account deleted");
  EXPECT_EQ(changes.items(0).actor(), kRoot);
  page.set_page_token(changes.next_page_token());
  v1::ListIamChangesResponse rest;
  ASSERT_TRUE(Ask(&Stub::ListIamChanges, page, rest).ok());
  ASSERT_EQ(rest.items_size(), 2);
  EXPECT_EQ(rest.items(1).what(), "client made");
  EXPECT_EQ(rest.next_page_token(), "");
}

TEST_F(IamTest, ListsPage) {
  for (const char* id : {"a", "b", "c"}) Create(id);
  v1::ListAccountsRequest request;
  request.set_page_size(2);
  v1::ListAccountsResponse page;
  ASSERT_TRUE(Ask(&Stub::ListAccounts, request, page).ok());
  EXPECT_EQ(page.items_size(), 2);
  EXPECT_EQ(page.next_page_token(), "b");
  request.set_page_token("b");
  v1::ListAccountsResponse last;
  ASSERT_TRUE(Ask(&Stub::ListAccounts, request, last).ok());
  EXPECT_EQ(last.items_size(), 1);
  EXPECT_EQ(last.next_page_token(), "");
}

TEST_F(IamTest, BadInputNamesEachFieldAndNoValue) {
  v1::CreateAccountRequest create;
  create.set_account("a:Geheimnis");
  create.set_email("Geheimnis\n");
  create.add_roles("Geheimnis");
  create.add_clients("Geheimnis");
  v1::Account account;
  const grpc::Status status = Ask(&Stub::CreateAccount, create, account);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  for (const char* field : {"id: must be", "email: must be", "roles: must name", "clients: must name"})
    EXPECT_THAT(status.error_message(), HasSubstr(field));
  EXPECT_EQ(status.error_message().find("Geheimnis"), std::string::npos);
  EXPECT_THAT(status.error_details(), HasSubstr("BadRequest"));

  v1::SetPasswordRequest password;
  password.set_account(Create("ann").account());
  EXPECT_THAT(Ask(&Stub::SetPassword, password, account).error_message(), HasSubstr("password: must be 1 to 256"));
  v1::MemberRequest member;
  v1::IamChangeResponse changed;
  EXPECT_THAT(Ask(&Stub::AddMember, member, changed).error_message(), HasSubstr("group: must be one of"));
  member.set_client("admins");
  member.set_account("ann");
  EXPECT_EQ(Ask(&Stub::AddMember, member, changed).error_code(), StatusCode::NOT_FOUND) << "a role is no client";
  v1::ListAccountsRequest list;
  list.set_page_size(1'001);
  v1::ListAccountsResponse page;
  EXPECT_THAT(Ask(&Stub::ListAccounts, list, page).error_message(), HasSubstr("page_size: must be at most 1000"));
  v1::ListIamChangesRequest changes;
  changes.set_page_token("x");
  v1::ListIamChangesResponse seen;
  EXPECT_THAT(Ask(&Stub::ListIamChanges, changes, seen).error_message(), HasSubstr("page_token: must be"));
}

}  // namespace
}  // namespace smsflow::server
