// /iam/roles and /iam/clients: two things that the old contract shows in one form, and that are kept apart here.
#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "crypto/json_object.h"
#include "server/rest/iam.h"
#include "server/rest/iam_list.h"

namespace smsflow::server::rest {

namespace {

// The field of the members is spelt so.
std::string TextOf(const Group& group) {
  return "{\"id\":" + crypto::JsonQuoted(group.id) + ",\"type\":" + (group.is_role ? "\"ROLE\"" : "\"CLIENT\"") +
         ",\"acounts\":[" +
         absl::StrJoin(group.accounts, ",",
                       [](std::string* out, const std::string& id) { *out += crypto::JsonQuoted(id); }) +
         "]}";
}

// A role under /iam/roles, a client under /iam/clients: the first part of either path that is variable is its name.
struct Kind {
  bool is_role;
  std::optional<Group> Find(const Accounts& accounts, const std::string& id) const {
    return is_role ? accounts.Role(id) : accounts.Client(id);
  }
  Response NotFound() const {
    return Response::Error(404, is_role ? "role: there is none of this name" : "client: there is none of this name");
  }
};

Response GetRole(Accounts& accounts, const Request& request) {
  if (auto refused = NeedsAdmin(request)) return *std::move(refused);
  const auto group = accounts.Role(request.arguments[0]);
  return group ? Response::Json(TextOf(*group)) : Kind{true}.NotFound();
}

Response GetClient(Accounts& accounts, const Request& request) {
  const std::string& id = request.arguments[0];
  if (!IsAdmin(request) && !(request.principal.HasRole(kUsersRole) && request.principal.ActsFor(id)))
    return *NeedsAdmin(request);
  const auto group = accounts.Client(id);
  return group ? Response::Json(TextOf(*group)) : Kind{false}.NotFound();
}

Response ListRoles(Accounts& accounts, const Request& request) {
  if (auto refused = NeedsAdmin(request)) return *std::move(refused);
  return Response::Json(
      "[" + absl::StrJoin(accounts.Roles(), ",", [](std::string* out, const Group& group) { *out += TextOf(group); }) +
      "]");
}

void ListClients(Accounts& accounts, Workers& workers, const Request& request, Reply reply) {
  const auto page = [&accounts](const std::string& after, std::size_t most) { return accounts.Clients(after, most); };
  ReplyWithAll(workers, request, std::move(reply), page, [](const Group& group) { return TextOf(group); });
}

// The account, if it is in the group. Of a role also who asks about himself may see it, of a client whoever acts for
// it.
Response GetMember(const Kind& kind, Accounts& accounts, const Request& request) {
  const std::string &group = request.arguments[0], &id = request.arguments[1];
  const By by = ByOf(request.principal);
  const bool may = by.admin || (kind.is_role ? by.account == id : request.principal.ActsFor(group));
  if (!may) return *NeedsAdmin(request);
  const auto found = kind.Find(accounts, group);
  if (!found) return kind.NotFound();
  if (!std::binary_search(found->accounts.begin(), found->accounts.end(), id))
    return Response::Error(404, "account: it is not in there");
  const auto account = accounts.Get({by.name, true, {}}, id);
  return account.ok() ? Response::Json(JsonOf(*account)) : Response::Error(account.status());
}

Response AddMember(const Kind& kind, Accounts& accounts, const Request& request) {
  if (auto refused = NeedsAdmin(request)) return *std::move(refused);
  if (!kind.Find(accounts, request.arguments[0])) return kind.NotFound();
  const auto added = accounts.AddMember(ByOf(request.principal), request.arguments[0], RawBody(request));
  if (absl::IsNotFound(added.status())) return Response::Error(400, std::string(added.status().message()));
  return added.ok() ? Response::Ok() : Response::Error(added.status());
}

Response RemoveMember(const Kind& kind, Accounts& accounts, const Request& request) {
  if (auto refused = NeedsAdmin(request)) return *std::move(refused);
  if (!kind.Find(accounts, request.arguments[0])) return kind.NotFound();
  const auto removed = accounts.RemoveMember(ByOf(request.principal), request.arguments[0], request.arguments[1]);
  if (removed.ok() || absl::IsNotFound(removed.status())) return Response::Ok();
  return Response::Error(removed.status());
}

Response CreateClient(Accounts& accounts, const Request& request) {
  if (auto refused = NeedsAdmin(request)) return *std::move(refused);
  Violations violations;
  const absl::Status status = accounts.CreateClient(ByOf(request.principal), RawBody(request), violations);
  return status.ok() ? Response::Ok() : Response::Error(status);
}

Response DeleteClient(Accounts& accounts, const Request& request) {
  const auto deleted = accounts.DeleteClient(ByOf(request.principal), request.arguments[0]);
  return deleted.ok() ? Response::Ok() : Response::Error(deleted.status());
}

}  // namespace

void AddGroupHandlers(Accounts& accounts, Router& router, Workers& workers) {
  const auto add = [&](Method method, const std::string& path, auto handle) {
    router.AddBlocking(method, path, workers,
                       [&accounts, handle](const Request& request) { return handle(accounts, request); });
  };
  for (const Kind kind : {Kind{true}, Kind{false}}) {
    const std::string group = kind.is_role ? "/iam/roles/{role}" : "/iam/clients/{client}";
    const std::string member = group + "/{account}";
    const auto of = [kind](Response (*handle)(const Kind&, Accounts&, const Request&)) {
      return [kind, handle](Accounts& all, const Request& request) { return handle(kind, all, request); };
    };
    add(Method::kPost, group, of(AddMember));
    add(Method::kGet, member, of(GetMember));
    add(Method::kDelete, member, of(RemoveMember));
  }
  add(Method::kGet, "/iam/roles", ListRoles);
  add(Method::kGet, "/iam/roles/{role}", GetRole);
  router.Add(Method::kGet, "/iam/clients", [&accounts, &workers](Request request, Reply reply) {
    ListClients(accounts, workers, request, std::move(reply));
  });
  add(Method::kPost, "/iam/clients", CreateClient);
  add(Method::kGet, "/iam/clients/{client}", GetClient);
  add(Method::kDelete, "/iam/clients/{client}", DeleteClient);
}

}  // namespace smsflow::server::rest
