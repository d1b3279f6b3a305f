// Who may log in, what for, and for whom: account, client, role.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/cli/answer.h"
#include "tools/cli/failure.h"
#include "tools/cli/password.h"
#include "tools/cli/time_text.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

std::string Joined(const google::protobuf::RepeatedPtrField<std::string>& names) { return absl::StrJoin(names, " "); }

std::string Time(const Session& session, std::int64_t ms) {
  if (ms == 0) return "";
  return session.ForPeople() ? LocalTime(ms) : UtcTime(ms);
}

void Show(const Session& session, const Table& table, const std::string& next = "") {
  if (session.ForPeople())
    PrintRows(session.terminal, table, next);
  else
    session.terminal.out << table.ForScripts();
}

void AddRow(const Session& session, Table& table, const v1::Account& account) {
  table.Add({Visible(account.account()), Joined(account.roles()), Visible(Joined(account.clients())),
             Visible(account.name()), Visible(account.email()), account.has_password() ? "yes" : "no",
             Time(session, account.password_ms()), Time(session, account.changed_ms())});
}

Table AccountTable() { return Table({"account", "roles", "clients", "name", "email", "password", "set", "changed"}); }

Outcome ShowAccount(Session& session, const absl::StatusOr<v1::Account>& account) {
  if (!account.ok()) return account.status();
  if (PrintedAsJson(session, *account)) return kExitOk;
  Table table = AccountTable();
  AddRow(session, table, *account);
  Show(session, table);
  return kExitOk;
}

Outcome ShowChanged(Session& session, const absl::StatusOr<v1::IamChangeResponse>& response, const char* changed,
                    const char* unchanged) {
  if (!response.ok()) return response.status();
  if (!PrintedAsJson(session, *response)) session.terminal.out << (response->changed() ? changed : unchanged) << "\n";
  return kExitOk;
}

// Every page of a list, its items as rows made by `add`.
template <class Request, class Response, class Add>
Outcome ShowPages(Session& session, const char* verb, UnaryCall<IamStub, Request, Response> call, Table table,
                  const Add& add) {
  Response all;
  const auto last = EachPage(session, verb, call, Request(), [&](const Response& page) {
    for (const auto& item : page.items()) add(table, item);
    all.MergeFrom(page);
    return page.items_size();
  });
  if (!last.ok()) return last.status();
  all.set_next_page_token(last->next_page_token());
  if (!PrintedAsJson(session, all)) Show(session, table, all.next_page_token());
  return kExitOk;
}

Outcome ListAccounts(Session& session) {
  return ShowPages(session, "account list", &IamStub::ListAccounts, AccountTable(),
                   [&](Table& table, const v1::Account& account) { AddRow(session, table, account); });
}

Outcome ListChanges(Session& session) {
  return ShowPages(session, "account changes", &IamStub::ListIamChanges,
                   Table({"at", "by", "what", "account", "group", "fields"}),
                   [&](Table& table, const v1::IamChange& change) {
                     table.Add({Time(session, change.at_ms()), Visible(change.actor()), change.what(),
                                Visible(change.account()), Visible(change.group()), change.details()});
                   });
}

// With the way out, where it is another verb.
absl::StatusOr<v1::Account> OrHowToMakeClients(const absl::StatusOr<v1::Account>& account) {
  constexpr std::string_view kUnknown = "clients: must name clients that there are";
  std::string text(account.status().message());
  const std::size_t at = text.find(kUnknown);
  if (account.ok() || at == std::string::npos) return account;
  text.insert(at + kUnknown.size(), " (smsflow client list; smsflow client create CLIENT makes one)");
  return absl::Status(account.status().code(), text);
}

Outcome CreateAccount(Session& session) {
  const Arguments& arguments = session.arguments;
  auto password = ReadPassword(session.terminal, arguments.password_file);
  if (!password.ok()) return password.status();
  v1::CreateAccountRequest request;
  request.set_account(arguments.id);
  request.set_password(*std::move(password));
  if (!arguments.full_name.empty()) request.set_name(arguments.full_name.front());
  if (!arguments.email.empty()) request.set_email(arguments.email.front());
  request.mutable_roles()->Assign(arguments.roles.begin(), arguments.roles.end());
  request.mutable_clients()->Assign(arguments.clients.begin(), arguments.clients.end());
  return ShowAccount(session,
                     OrHowToMakeClients(session.connection.Ask("account create", &IamStub::CreateAccount, request)));
}

Outcome UpdateAccount(Session& session) {
  const Arguments& arguments = session.arguments;
  v1::UpdateAccountRequest request;
  request.set_account(arguments.id);
  if (!arguments.full_name.empty()) request.set_name(arguments.full_name.front());
  if (!arguments.email.empty()) request.set_email(arguments.email.front());
  if (!arguments.roles.empty() || arguments.no_roles)
    request.mutable_roles()->mutable_names()->Assign(arguments.roles.begin(), arguments.roles.end());
  if (!arguments.clients.empty() || arguments.no_clients)
    request.mutable_clients()->mutable_names()->Assign(arguments.clients.begin(), arguments.clients.end());
  return ShowAccount(session,
                     OrHowToMakeClients(session.connection.Ask("account update", &IamStub::UpdateAccount, request)));
}

Outcome SetPassword(Session& session) {
  auto password = ReadPassword(session.terminal, session.arguments.password_file);
  if (!password.ok()) return password.status();
  v1::SetPasswordRequest request;
  request.set_account(session.arguments.id);
  request.set_password(*std::move(password));
  return ShowAccount(session, session.connection.Ask("account password", &IamStub::SetPassword, request));
}

void AddRow(const Session& session, Table& table, const v1::IamGroup& group) {
  table.Add({Visible(group.name()), Visible(Joined(group.accounts())), Time(session, group.created_ms())});
}

Outcome ShowGroup(Session& session, const absl::StatusOr<v1::IamGroup>& group) {
  if (!group.ok()) return group.status();
  if (PrintedAsJson(session, *group)) return kExitOk;
  Table table({"name", "accounts", "created"});
  AddRow(session, table, *group);
  Show(session, table);
  return kExitOk;
}

Outcome ListClients(Session& session) {
  return ShowPages(session, "client list", &IamStub::ListClients, Table({"client", "accounts", "created"}),
                   [&](Table& table, const v1::IamGroup& group) { AddRow(session, table, group); });
}

// All of them, or the one that was named.
Outcome ShowRoles(Session& session) {
  const auto roles = session.connection.Ask("role", &IamStub::ListRoles, v1::ListRolesRequest());
  if (!roles.ok()) return roles.status();
  if (session.arguments.subject == "list") {
    if (PrintedAsJson(session, *roles)) return kExitOk;
    Table table({"role", "accounts", "created"});
    for (const v1::IamGroup& group : roles->items()) AddRow(session, table, group);
    Show(session, table);
    return kExitOk;
  }
  for (const v1::IamGroup& group : roles->items())
    if (group.name() == session.arguments.id) return ShowGroup(session, group);
  return absl::NotFoundError("role show: there is no such role");
}

Outcome ChangeMember(Session& session, v1::MemberRequest request) {
  request.set_account(session.arguments.member);
  const bool add = session.arguments.subject == "add";
  return ShowChanged(session,
                     add ? session.connection.Ask("add", &IamStub::AddMember, request)
                         : session.connection.Ask("remove", &IamStub::RemoveMember, request),
                     add ? "added" : "removed", add ? "was in it already" : "was not in it");
}

// Whether the words that stand there are those that the verb needs.
absl::Status Needs(const Session& session, const char* verb, bool id, bool member) {
  const Arguments& arguments = session.arguments;
  const std::string doing = absl::StrCat(verb, " ", arguments.subject);
  if (id == arguments.id.empty())
    return absl::InvalidArgumentError(absl::StrCat(doing, id ? ": say which" : ": more words than it takes"));
  if (member == arguments.member.empty())
    return absl::InvalidArgumentError(
        absl::StrCat(doing, member ? ": say which account" : ": more words than it takes"));
  return absl::OkStatus();
}

}  // namespace

Outcome RunAccount(Session& session) {
  const std::string& what = session.arguments.subject;
  const bool lists = what == "list" || what == "changes";
  if (absl::Status status = Needs(session, "account", !lists, false); !status.ok()) return status;
  if (what == "list") return ListAccounts(session);
  if (what == "changes") return ListChanges(session);
  if (what == "create") return CreateAccount(session);
  if (what == "update") return UpdateAccount(session);
  if (what == "password") return SetPassword(session);
  if (what == "delete") {
    v1::DeleteAccountRequest request;
    request.set_account(session.arguments.id);
    return ShowChanged(session, session.connection.Ask("account delete", &IamStub::DeleteAccount, request), "deleted",
                       "there was none");
  }
  v1::GetAccountRequest request;
  request.set_account(session.arguments.id);
  return ShowAccount(session, session.connection.Ask("account show", &IamStub::GetAccount, request));
}

Outcome RunClient(Session& session) {
  const std::string& what = session.arguments.subject;
  const bool member = what == "add" || what == "remove";
  if (absl::Status status = Needs(session, "client", what != "list", member); !status.ok()) return status;
  if (what == "list") return ListClients(session);
  if (what == "create") {
    v1::CreateClientRequest request;
    request.set_client(session.arguments.id);
    return ShowGroup(session, session.connection.Ask("client create", &IamStub::CreateClient, request));
  }
  if (what == "delete") {
    v1::DeleteClientRequest request;
    request.set_client(session.arguments.id);
    return ShowChanged(session, session.connection.Ask("client delete", &IamStub::DeleteClient, request), "deleted",
                       "there was none");
  }
  if (member) {
    v1::MemberRequest request;
    request.set_client(session.arguments.id);
    return ChangeMember(session, std::move(request));
  }
  v1::GetClientRequest request;
  request.set_client(session.arguments.id);
  return ShowGroup(session, session.connection.Ask("client show", &IamStub::GetClient, request));
}

Outcome RunRole(Session& session) {
  const std::string& what = session.arguments.subject;
  const bool member = what == "add" || what == "remove";
  if (absl::Status status = Needs(session, "role", what != "list", member); !status.ok()) return status;
  if (!member) return ShowRoles(session);
  v1::MemberRequest request;
  request.set_role(session.arguments.id);
  return ChangeMember(session, std::move(request));
}

}  // namespace smsflow::cli
