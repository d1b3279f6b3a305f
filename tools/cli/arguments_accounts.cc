#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>

#include "tools/cli/arguments_parts.h"

namespace smsflow::cli {
namespace {

void AddPaging(CLI::App& app, Arguments& arguments) {
  app.add_flag("--all", arguments.all, "list, changes: every page");
  app.add_option("--limit", arguments.limit, "list, changes: at most so many")
      ->capture_default_str()
      ->check(CLI::Range(1U, 1'000'000U));
  app.add_option("--page", arguments.page, "list, changes: where the page before ended");
}

}  // namespace

void AddAccountVerbs(CLI::App& app, Arguments& arguments) {
  CLI::App& account =
      AddVerb(app, arguments, Verb::kAccount, kGroupAccounts, "account",
              "Names and passwords for REST: list, show, create, update, password, delete, changes (who changed what)");
  account.add_option("what", arguments.subject, "list, show, create, update, password, delete or changes")
      ->required()
      ->check(CLI::IsMember({"list", "show", "create", "update", "password", "delete", "changes"}));
  account.add_option("id", arguments.id, "The account; not for list and changes");
  account.add_option("--name", arguments.full_name, "create, update: the person's name")->allow_extra_args(false);
  account.add_option("--email", arguments.email, "create, update: the person's address")->allow_extra_args(false);
  account.add_option("--role", arguments.roles, "create, update: users, admins; may be given twice. All of them")
      ->allow_extra_args(false);
  account
      .add_option("--client", arguments.clients,
                  "create, update: a tenant it acts for; may be given more than once. All of them")
      ->allow_extra_args(false);
  account.add_flag("--no-roles", arguments.no_roles, "update: none any more");
  account.add_flag("--no-clients", arguments.no_clients, "update: none any more");
  account
      .add_option("--password-file", arguments.password_file,
                  "create, password: its first line; - for stdin. Without it you are asked, or stdin is read")
      ->type_name("FILE");
  AddPaging(account, arguments);

  CLI::App& client = AddVerb(app, arguments, Verb::kClient, kGroupAccounts, "client",
                             "Tenants that accounts act for, and who does: list, show, create, delete, add, remove");
  client.alias("tenant");
  client.add_option("what", arguments.subject, "list, show, create, delete, add or remove")
      ->required()
      ->check(CLI::IsMember({"list", "show", "create", "delete", "add", "remove"}));
  client.add_option("client", arguments.id, "The client; not for list");
  client.add_option("account", arguments.member, "add, remove: who is to act for it, or not any more");
  AddPaging(client, arguments);

  CLI::App& role = AddVerb(app, arguments, Verb::kRole, kGroupAccounts, "role",
                           "What accounts may do (users, admins), and who may: list, show, add, remove");
  role.add_option("what", arguments.subject, "list, show, add or remove")
      ->required()
      ->check(CLI::IsMember({"list", "show", "add", "remove"}));
  role.add_option("role", arguments.id, "users or admins; not for list")->check(CLI::IsMember({"users", "admins"}));
  role.add_option("account", arguments.member, "add, remove: who is to have it, or not any more");
}

}  // namespace smsflow::cli
