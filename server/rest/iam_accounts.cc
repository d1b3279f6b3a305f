// /iam/accounts, and the greeting that tells who one is.
#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "crypto/json_object.h"
#include "kafka/json_fields.h"
#include "server/rest/iam.h"
#include "server/rest/iam_list.h"

namespace smsflow::server::rest {

namespace {

constexpr std::size_t kGroupsMax = 1'002;  // all roles and clients that there may be

std::string OrNull(const std::string& text) { return text.empty() ? "null" : crypto::JsonQuoted(text); }

// What the old contract calls a group is a role or a client; no name is both.
void Split(std::vector<std::string> groups, AccountFields& fields) {
  const auto clients = std::stable_partition(groups.begin(), groups.end(), IsRole);
  fields.clients = std::vector<std::string>(std::make_move_iterator(clients), std::make_move_iterator(groups.end()));
  groups.erase(clients, groups.end());
  fields.roles = std::move(groups);
}

struct Asked {
  std::string id;
  AccountFields fields;
};

// Of one JSON object, as the old clients send it: what is not known is skipped, null is absent, and so is a blank text.
absl::StatusOr<Asked> Read(const Request& request, bool is_new) {
  kafka::JsonFields json(request.body, {"id", "name", "email", "password", "groups"}, "body");
  Asked asked;
  asked.id = json.Text("id");
  const auto text = [&](const char* name) -> std::optional<std::string> {
    std::string value = json.Text(name);
    if (absl::StripAsciiWhitespace(value).empty()) return std::nullopt;
    return value;
  };
  asked.fields.name = text("name");
  asked.fields.email = text("email");
  if (auto password = text("password")) asked.fields.password = crypto::Secret::Take(*password);
  std::vector<std::string> groups = json.Texts("groups", kGroupsMax);
  if (is_new || json.Has("groups")) Split(std::move(groups), asked.fields);
  if (absl::Status status = json.status(); !status.ok()) return status;
  return asked;
}

std::optional<Response> NeedsJson(const Request& request) {
  if (request.IsOfType("application/json")) return std::nullopt;
  Response wrong = Response::Error(415, "content-type: must be application/json");
  wrong.headers.push_back({"Accept", "application/json"});
  return wrong;
}

Response Show(const absl::StatusOr<Account>& account) {
  return account.ok() ? Response::Json(JsonOf(*account)) : Response::Error(account.status());
}

Response Greet(const Request& request) {
  const Principal& who = request.principal;
  return Response::Text("Hello " + who.user + ", your roles are: " + absl::StrJoin(who.roles, ", ") +
                        "; your clients are: " + absl::StrJoin(who.tenants, ", ") + "\n");
}

void List(Accounts& accounts, Workers& workers, const Request& request, Reply reply) {
  const auto page = [&accounts](const std::string& after, std::size_t most) { return accounts.List(after, most); };
  ReplyWithAll(workers, request, std::move(reply), page, JsonOf);
}

Response Create(Accounts& accounts, const Request& request) {
  if (auto refused = NeedsAdmin(request)) return *std::move(refused);
  if (auto refused = NeedsJson(request)) return *std::move(refused);
  auto asked = Read(request, true);
  if (!asked.ok()) return Response::Error(asked.status());
  Violations violations;
  return Show(accounts.Create(ByOf(request.principal), asked->id, std::move(asked->fields), violations));
}

Response Update(Accounts& accounts, const Request& request) {
  const std::string& id = request.arguments[0];
  const By by = ByOf(request.principal);
  if (!by.admin && by.account != id) return *NeedsAdmin(request);
  if (auto refused = NeedsJson(request)) return *std::move(refused);
  auto asked = Read(request, false);
  if (!asked.ok()) return Response::Error(asked.status());
  if (!asked->id.empty() && asked->id != id) return Response::Error(400, "id: must be that of the path, or absent");
  Violations violations;
  return Show(accounts.Update(by, id, std::move(asked->fields), violations));
}

Response SetPassword(Accounts& accounts, const Request& request) {
  AccountFields fields;
  std::string password = RawBody(request);
  fields.password = crypto::Secret::Take(password);
  Violations violations;
  const auto account = accounts.Update(ByOf(request.principal), request.arguments[0], std::move(fields), violations);
  return account.ok() ? Response::Ok() : Response::Error(account.status());
}

Response Delete(Accounts& accounts, const Request& request) {
  const auto deleted = accounts.Delete(ByOf(request.principal), request.arguments[0]);
  return deleted.ok() ? Response::Ok() : Response::Error(deleted.status());
}

}  // namespace

bool IsAdmin(const Request& request) { return MayAdminister(request.principal); }

std::optional<Response> NeedsAdmin(const Request& request) {
  if (IsAdmin(request)) return std::nullopt;
  return Response::Error(403, "the credential has not the role admins");
}

std::string JsonOf(const Account& account) {
  return "{\"id\":" + crypto::JsonQuoted(account.id) + ",\"name\":" + OrNull(account.name) +
         ",\"email\":" + OrNull(account.email) + ",\"password\":null,\"groups\":[" +
         absl::StrJoin(account.Groups(), ",",
                       [](std::string* out, const std::string& group) { *out += crypto::JsonQuoted(group); }) +
         "]}";
}

std::string RawBody(const Request& request) {
  std::string text = request.body;
  if (request.IsOfType("application/json")) {
    // As the only member of an object it is read like any other text.
    std::string object = "{\"it\":" + text + "}";
    kafka::JsonFields json(object, {"it"});
    crypto::WipeString(object);
    std::string inner = json.Text("it");
    if (json.ok()) std::swap(text, inner);
    crypto::WipeString(inner);
  }
  std::string bare(absl::StripAsciiWhitespace(text));
  crypto::WipeString(text);
  return bare;
}

void AddAccountHandlers(Accounts& accounts, Router& router, Workers& workers) {
  for (const char* path : {"/iam", "/iam/", "/iam/check"})
    router.Add(Method::kGet, path, [](Request request, Reply reply) { reply(Greet(request)); });
  router.Add(Method::kGet, "/iam/accounts", [&accounts, &workers](Request request, Reply reply) {
    List(accounts, workers, request, std::move(reply));
  });
  const auto add = [&](Method method, const char* path, Response (*handle)(Accounts&, const Request&)) {
    router.AddBlocking(method, path, workers,
                       [&accounts, handle](const Request& request) { return handle(accounts, request); });
  };
  add(Method::kPost, "/iam/accounts", Create);
  const char* const one = "/iam/accounts/{account}";
  add(Method::kGet, one, [](Accounts& all, const Request& request) {
    return Show(all.Get(ByOf(request.principal), request.arguments[0]));
  });
  add(Method::kPut, one, Update);
  add(Method::kDelete, one, Delete);
  add(Method::kPost, "/iam/accounts/{account}/password", SetPassword);
}

}  // namespace smsflow::server::rest
