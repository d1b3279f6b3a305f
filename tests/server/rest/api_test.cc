// /api/v1 from the outside: the gRPC services as JSON, their errors as problems, their watch as events.
#include "server/rest/api.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "server/rest/api_json.h"
#include "server/rest/api_routes.h"
#include "server/rest/iam.h"
#include "tests/server/rest/rest_site.h"

namespace smsflow::server::rest {
namespace {

using testing::HasSubstr;
using testing::Not;

const By kOperator{"root", true, {}};

class ApiTest : public testing::Test {
 protected:
  ApiTest() {
    Violations violations;
    EXPECT_TRUE(accounts().CreateClient(kOperator, "acme", violations).ok());
    for (const char* id : {"ann", "boss", "idle"}) {
      AccountFields fields;
      fields.password = crypto::Secret(id);
      if (id == std::string("ann")) {
        fields.roles = {"users"};
        fields.clients = {"acme"};
      } else if (id == std::string("boss")) {
        fields.roles = {"admins"};
      } else {
        fields.roles = {"users"};
      }
      EXPECT_TRUE(accounts().Create(kOperator, id, std::move(fields), violations).ok());
    }
  }
  ~ApiTest() override {
    rest.door->Stop(5'000);
    rest.site.server->Stop(5'000);
    rest.site.engine->Stop();
  }
  Accounts& accounts() { return *rest.site.accounts; }

  HttpAnswer Ask(const std::string& line, const std::string& body = "", const std::string& who = "ann:ann",
                 const std::string& more = "") {
    return rest.Ask(line, who, body, "application/json", more);
  }
  HttpAnswer AskWithToken(const std::string& line, const std::string& token, const std::string& more = "",
                          const std::string& body = "") {
    return rest.Ask(line, "", body, "application/json", "Authorization: Bearer " + token + "\r\n" + more);
  }
  // So many seconds after the first one, which begins in an hour.
  std::string Slot(std::int64_t later_s) {
    return std::to_string(from_s + later_s) + "-" + std::to_string(from_s + later_s + 600);
  }
  std::string Sms(const std::string& more = "") {
    return "{\"schedule\":\"" + Slot(0) + "\",\"payload\":\"c2VhbGVk\",\"target\":\"t1\"" + more + "}";
  }
  std::string Schedule(const std::string& more = "") {
    const HttpAnswer answer = Ask("POST /api/v1/sms", Sms(more));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return Member(answer.body, "id");
  }

  const std::int64_t from_s = Site::NowS() + 3'600;
  Workers workers{1, 1'000};
  std::unique_ptr<Identity> identity;
  std::unique_ptr<Api> api;
  RestSite rest{{}, [this](RestParts& parts) {
                  identity = MakeAccountIdentity(*rest.site.accounts, *parts.identity);
                  parts.identity = identity.get();
                  parts.tokens = rest.site.authenticator.get();
                  api = std::make_unique<Api>(
                      ApiParts{&rest.site.server->calls(), rest.site.authenticator.get(), &workers, "test", 50});
                  parts.more = [this](Router& router, Workers&) { api->Register(router); };
                }};
};

TEST_F(ApiTest, AnSmsIsScheduledShownListedAndCancelled) {
  const HttpAnswer made = Ask("POST /api/v1/sms", Sms(",\"batch\":\"b\",\"key\":\"k\""));
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.headers.at("content-type"), "application/json");
  const std::string id = Member(made.body, "id");
  EXPECT_EQ(id.size(), 36U);
  EXPECT_EQ(Member(made.body, "state"), "PENDING");
  EXPECT_GE(Member(made.body, "due_ms"), std::to_string(from_s * 1'000));
  const HttpAnswer shown = Ask("GET /api/v1/sms/" + id);
  EXPECT_EQ(Member(shown.body, "user"), "ann");
  EXPECT_EQ(Member(shown.body, "schedule"), Slot(0));
  EXPECT_THAT(Ask("GET /api/v1/sms?batch=b&state=PENDING&state=SENT").body, HasSubstr(id));
  EXPECT_THAT(Ask("GET /api/v1/sms?batch=b&state=SENT").body, Not(HasSubstr(id)));
  EXPECT_EQ(Member(Ask("GET /api/v1/batches/b").body, "total"), "1");
  EXPECT_EQ(
      Member(Ask("POST /api/v1/sms/" + id + "/reschedule", "{\"schedule\":\"" + Slot(1'000) + "\"}").body, "due_ms"),
      std::to_string((from_s + 1'000) * 1'000));
  EXPECT_EQ(Member(Ask("POST /api/v1/sms/" + id + "/cancel").body, "outcome"), "CANCEL_CANCELED");
  EXPECT_EQ(Member(Ask("POST /api/v1/sms/cancel", "{\"batch\":\"b\"}").body, "already_ended"), "1");
  EXPECT_EQ(Ask("PUT /api/v1/blocked/t2").status, 200);
  EXPECT_THAT(Ask("GET /api/v1/blocked").body, HasSubstr("\"t2\""));
  EXPECT_EQ(Member(Ask("DELETE /api/v1/blocked/t2").body, "was_blocked"), "true");
  const HttpAnswer batch = Ask("POST /api/v1/sms/batch", "{\"items\":[" + Sms() + ",{\"payload\":\"eA==\"}]}");
  EXPECT_THAT(batch.body, HasSubstr("\"scheduled\""));
  EXPECT_THAT(batch.body, HasSubstr("\"field\":\"schedule\""));
}

TEST_F(ApiTest, ARetryWithTheSameKeyHasTheFirstAnswer) {
  const HttpAnswer one = Ask("POST /api/v1/sms", Sms(), "ann:ann", "Idempotency-Key: again\r\n");
  const HttpAnswer two = Ask("POST /api/v1/sms", Sms(), "ann:ann", "Idempotency-Key: again\r\n");
  EXPECT_EQ(Member(one.body, "id"), Member(two.body, "id"));
  EXPECT_EQ(Member(two.body, "duplicate"), "true");
  const HttpAnswer other = Ask("POST /api/v1/sms", Sms(",\"batch\":\"x\""), "ann:ann", "Idempotency-Key: again\r\n");
  EXPECT_EQ(other.status, 409);
  EXPECT_EQ(Member(other.body, "code"), "ALREADY_EXISTS");
  EXPECT_EQ(Ask("POST /api/v1/sms", Sms(",\"idempotency_key\":\"x\""), "ann:ann", "Idempotency-Key: y\r\n").status,
            400);
  EXPECT_THAT(Ask("POST /api/v1/sms/cancel", "{\"all\":true}", "ann:ann", "Idempotency-Key: y\r\n").body,
              HasSubstr("is for POST /api/v1/sms alone"));
}

TEST_F(ApiTest, AllThatIsWrongIsAProblemWithItsFields) {
  const HttpAnswer wrong =
      Ask("POST /api/v1/sms", R"({"schedule":"Geheimnis","payload":"","batch":"a\u0007b","colour":1,"key":7})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.headers.at("content-type"), "application/problem+json");
  EXPECT_EQ(Member(wrong.body, "type"), "about:blank");
  EXPECT_EQ(Member(wrong.body, "title"), "Bad Request");
  EXPECT_EQ(Member(wrong.body, "status"), "400");
  EXPECT_EQ(Member(wrong.body, "code"), "INVALID_ARGUMENT");
  EXPECT_THAT(wrong.body, HasSubstr(R"({"field":"colour","description":"there is no such field"})"));
  EXPECT_THAT(wrong.body, HasSubstr(R"({"field":"key","description":"must be a text"})"));
  EXPECT_THAT(Ask("POST /api/v1/sms", R"({"":1})").body,
              HasSubstr(R"({"field":"body","description":"there is no such field"})"));
  const HttpAnswer form = Ask("POST /api/v1/sms", R"({"schedule":"Geheimnis","payload":"","batch":"a\u0007b"})");
  for (const char* field : {"\"field\":\"schedule\"", "\"field\":\"payload\"", "\"field\":\"batch\""})
    EXPECT_THAT(form.body, HasSubstr(field));
  EXPECT_THAT(form.body, Not(HasSubstr("Geheimnis")));
  EXPECT_THAT(Ask("GET /api/v1/sms?page_size=x&colour=1&state=GREEN").body,
              testing::AllOf(HasSubstr("page_size"), HasSubstr("colour"), HasSubstr("state")));
  EXPECT_THAT(Ask("GET /api/v1/sms/Geheimnis").body,
              testing::AllOf(HasSubstr("must be the id of an SMS"), Not(HasSubstr("Geheimnis\",\"desc"))));
  EXPECT_EQ(Ask("GET /api/v1/sms/01a1fd55-7a80-7005-8000-000000000001").status, 404);
  EXPECT_EQ(Ask("POST /api/v1/sms", "[]").status, 400);
  EXPECT_EQ(Ask("POST /api/v1/sms", "").status, 400);
  EXPECT_EQ(Ask("POST /api/v1/sms", std::string(2'000, '[')).status, 400);
  EXPECT_EQ(rest.Ask("POST /api/v1/sms", "ann:ann", Sms(), "text/plain").status, 415);
  EXPECT_EQ(Ask("PUT /api/v1/blocked/t", "{\"a\":1}").status, 400);
  const HttpAnswer nothing = Ask("GET /api/v1/nothing");
  EXPECT_EQ(nothing.status, 404);
  EXPECT_EQ(nothing.headers.at("content-type"), "application/problem+json");
  EXPECT_EQ(Ask("DELETE /api/v1/sms").headers.at("allow"), "POST, GET");
  EXPECT_THAT(Ask("POST /api/v1/sms/01a1fd55-7a80-7005-8000-000000000001/reschedule",
                  "{\"id\":\"01a1fd55-7a80-7005-8000-000000000002\"}")
                  .body,
              HasSubstr("stands in the path"));
}

// Whichever of the two would count, somebody between here and the client may have looked at the other.
TEST_F(ApiTest, NothingIsThereTwice) {
  const auto twice = [](const std::string& field) {
    return HasSubstr("{\"field\":\"" + field + "\",\"description\":\"must not be there twice\"}");
  };
  for (const auto& [path, body, field] : std::vector<std::array<std::string, 3>>{
           {"POST /api/v1/sms", Sms(",\"target\":\"t2\""), "target"},
           {"POST /api/v1/sms", Sms(",\"target\":\"t1\""), "target"},
           {"POST /api/v1/sms", Sms(",\"t\\u0061rget\":\"t2\""), "target"},
           {"POST /api/v1/sms", Sms(",\"target\":null"), "target"},
           {"POST /api/v1/sms", Sms(R"(,"x":[{},{"y":1,"y":2}])"), "x[1].y"},
           {"POST /api/v1/sms", Sms(R"(,"":1,"":2)"), "body"},
           {"POST /api/v1/sms/batch", "{\"items\":[" + Sms() + "," + Sms(R"(,"batch":"b","batch":"c")") + "]}",
            "items[1].batch"},
           {"POST /api/v1/sms/cancel", R"({"all":false,"all":true})", "all"}}) {
    const HttpAnswer answer = Ask(path, body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.body, twice(field)) << body;
  }
  EXPECT_THAT(Ask("GET /api/v1/sms?batch=b&key=k&b%61tch=c").body, twice("batch"));
  EXPECT_THAT(Ask("GET /api/v1/sms?batch=b&batch=b").body, twice("batch"));
  EXPECT_EQ(Ask("GET /api/v1/sms?state=PENDING&state=SENT").status, 200) << "a list may be longer than one";
  for (const std::string name : {"Idempotency-Key", "Smsflow-Tenant"}) {
    const HttpAnswer answer = Ask("POST /api/v1/sms", Sms(), "ann:ann", name + ": acme\r\n" + name + ": beta\r\n");
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr(absl::AsciiStrToLower(name) + ": must not be there twice"));
  }
  EXPECT_THAT(Ask("GET /api/v1/sms").body, Not(HasSubstr("PENDING"))) << "and nothing was done";
}

TEST_F(ApiTest, NoBodyAndAnEmptyObjectAreTheSameEverywhere) {
  for (const char* body : {"", "{}", " {\n}\n"}) {
    EXPECT_EQ(Ask("PUT /api/v1/blocked/t", body).status, 200) << body;
    EXPECT_THAT(Ask("POST /api/v1/sms", body).body, HasSubstr("\"field\":\"schedule\"")) << body;
    EXPECT_EQ(rest.Ask("POST /api/v1/sms/cancel", "ann:ann", body, "text/plain").status, 400) << body;
  }
  for (const char* body : {"{", "}", "[]", "{}{}"}) EXPECT_EQ(Ask("PUT /api/v1/blocked/t", body).status, 400) << body;
}

// What is refused before there is a call has its code too.
TEST_F(ApiTest, EveryProblemHasItsCode) {
  const auto refused = [this](const std::string& line, int status, const char* code,
                              const std::string& user = "ann:ann", const std::string& more = "") {
    const HttpAnswer answer = Ask(line, "", user, more);
    EXPECT_EQ(answer.status, status) << line;
    EXPECT_EQ(answer.headers.at("content-type"), "application/problem+json") << line;
    EXPECT_EQ(Member(answer.body, "status"), std::to_string(status)) << line;
    EXPECT_EQ(Member(answer.body, "code"), code) << line;
  };
  refused("GET /api/v1/sms", 401, "UNAUTHENTICATED", "");
  refused("GET /api/v1/sms", 401, "UNAUTHENTICATED", "ann:wrong");
  refused("GET /api/v1/sms", 403, "PERMISSION_DENIED", "boss:boss");
  refused("GET /api/v1/nothing", 404, "NOT_FOUND");
  refused("GET /api/v1/sms/01a1fd55-7a80-7005-8000-000000000001", 404, "NOT_FOUND");
  refused("DELETE /api/v1/sms", 405, "UNIMPLEMENTED");
  refused("POST /api/v1/sms", 400, "INVALID_ARGUMENT");
  refused("GET /api/v1/%", 400, "INVALID_ARGUMENT");
  refused("GET /api/v1/sms", 417, "INVALID_ARGUMENT", "ann:ann", "Expect: more\r\n");
  std::string headers;
  for (int i = 0; i < 1'000; ++i) headers += "x:\r\n";
  refused("GET /api/v1/sms", 431, "RESOURCE_EXHAUSTED", "ann:ann", headers);
  refused("GET /api/v1/sms", 501, "UNIMPLEMENTED", "ann:ann", "Transfer-Encoding: gzip\r\n");
}

TEST_F(ApiTest, WhoMayWhat) {
  EXPECT_EQ(Ask("GET /api/v1/sms", "", "").status, 401);
  EXPECT_EQ(Ask("GET /api/v1/sms", "", "ann:wrong").status, 401);
  EXPECT_EQ(Ask("GET /api/v1/sms", "", "boss:boss").status, 403) << "an administrator is no client";
  EXPECT_EQ(Ask("GET /api/v1/sms", "", "idle:idle").status, 403) << "a client of none";
  EXPECT_EQ(Ask("GET /api/v1/sms", "", "ann:ann", "Smsflow-Tenant: acme\r\n").status, 200);
  EXPECT_EQ(Ask("GET /api/v1/sms", "", "ann:ann", "Smsflow-Tenant: beta\r\n").status, 403);
  EXPECT_EQ(Ask("GET /api/v1/accounts").status, 403);
  EXPECT_EQ(Ask("GET /api/v1/stats").status, 403);
  EXPECT_EQ(Ask("GET /api/v1/stats", "", "boss:boss").status, 200);
  EXPECT_EQ(AskWithToken("GET /api/v1/sms", kAcme).status, 200);
  EXPECT_EQ(AskWithToken("GET /api/v1/sms", kBoth).status, 400) << "of which tenant?";
  EXPECT_EQ(AskWithToken("GET /api/v1/sms", kBoth, "Smsflow-Tenant: beta\r\n").status, 200);
  EXPECT_EQ(AskWithToken("GET /api/v1/accounts", kKeeper).status, 403) << "of some tenants only";
  EXPECT_EQ(AskWithToken("GET /api/v1/accounts", kRoot).status, 200);
  EXPECT_EQ(AskWithToken("GET /api/v1/sms", "nobody").status, 401);
  EXPECT_EQ(AskWithToken("GET /schedule/acme", kAcme).status, 401) << "the old contract knows no tokens";
  const std::string id = Schedule();
  EXPECT_EQ(AskWithToken("GET /api/v1/sms/" + id, kBeta).status, 404) << "another tenant's";
}

TEST_F(ApiTest, AdministratorsLookAndManage) {
  const std::string id = Schedule();
  EXPECT_THAT(Ask("GET /api/v1/sms/" + id + "/journal", "", "boss:boss").body, HasSubstr("\"to_state\":\"PENDING\""));
  EXPECT_THAT(Ask("GET /api/v1/sms/" + id + "/explanation", "", "boss:boss").body, HasSubstr("\"summary\""));
  EXPECT_EQ(Member(Ask("POST /api/v1/pause", "{\"tenant\":\"acme\"}", "boss:boss").body, "changed"), "true");
  EXPECT_EQ(Member(Ask("POST /api/v1/resume", "{\"tenant\":\"acme\"}", "boss:boss").body, "changed"), "true");
  EXPECT_EQ(Ask("POST /api/v1/accounts", R"({"account":"new","password":"pw","roles":["users"]})", "boss:boss").status,
            200);
  EXPECT_EQ(Ask("PUT /api/v1/accounts/new/password", R"({"password":"another"})", "boss:boss").status, 200);
  EXPECT_TRUE(accounts().Check("new", "another").ok());
  EXPECT_EQ(Member(Ask("PATCH /api/v1/accounts/new", R"({"email":"n@x.org"})", "boss:boss").body, "email"), "n@x.org");
  EXPECT_EQ(Member(Ask("PUT /api/v1/clients/acme/members/new", "", "boss:boss").body, "changed"), "true");
  EXPECT_THAT(Ask("GET /api/v1/clients/acme", "", "boss:boss").body, HasSubstr("\"new\""));
  EXPECT_EQ(Ask("DELETE /api/v1/accounts/boss", "", "boss:boss").status, 403) << "nobody deletes himself";
  EXPECT_EQ(Ask("DELETE /api/v1/roles/admins/members/boss", "", "boss:boss").status, 403);
  const HttpAnswer page = Ask("GET /api/v1/accounts?page_size=2", "", "boss:boss");
  EXPECT_EQ(Member(page.body, "next_page_token"), "boss");
  EXPECT_THAT(Ask("GET /api/v1/accounts?page_size=2&page_token=boss", "", "boss:boss").body, HasSubstr("\"idle\""));
  EXPECT_THAT(Ask("GET /api/v1/changes?page_size=1", "", "boss:boss").body, HasSubstr("\"member added\""));
}

// The next event of a stream: its lines, without signs of life.
std::string NextEvent(HttpClient& client) {
  std::string event;
  while (true) {
    const std::string piece = client.ReadChunk();
    if (piece.empty()) return event;
    if (!piece.starts_with(":")) return piece;
  }
}

TEST_F(ApiTest, AWatchIsServerSentEventsThatGoOnWhereTheyWereLeft) {
  HttpClient client(rest.door->address());
  client.Send(RestSite::Request("GET /api/v1/events?target=t1", "ann:ann"));
  const HttpAnswer head = client.ReadHead();
  ASSERT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-type"), "text/event-stream");
  const std::string greeting = NextEvent(client);
  ASSERT_THAT(greeting, HasSubstr("id: "));
  const std::string token = greeting.substr(4, greeting.find('\n') - 4);
  const std::string id = Schedule();
  EXPECT_THAT(NextEvent(client), testing::AllOf(HasSubstr("event: transitions\ndata: {"), HasSubstr(id)));

  HttpClient again(rest.door->address());
  again.Send(RestSite::Request("GET /api/v1/events?target=t1", "ann:ann", "", "", "Last-Event-ID: " + token + "\r\n"));
  EXPECT_EQ(again.ReadHead().status, 200);
  EXPECT_THAT(NextEvent(again), HasSubstr(id));
  EXPECT_EQ(again.ReadChunk(), ":\n\n") << "a sign of life";

  EXPECT_EQ(Ask("GET /api/v1/events", "", "ann:ann", "Last-Event-ID: nonsense\r\n").status, 400);
  EXPECT_EQ(Ask("GET /api/v1/events", "", "boss:boss").status, 403);
  rest.site.server->Stop(5'000);
  EXPECT_THAT(NextEvent(client), HasSubstr("event: problem\ndata: {"));
}

// What is written is read again the same, for every message that is asked for.
TEST(ApiJson, IsReadAsItIsWritten) {
  v1::ScheduleBatchRequest batch;
  v1::ScheduleRequest* sms = batch.add_items();
  sms->set_batch("b\"\n\xC3\xBC");
  sms->set_payload(std::string("\0\xFF\x01", 3));
  batch.add_items()->set_schedule("1-2");
  v1::ScheduleBatchRequest again;
  Violations violations;
  FromJson(ToJson(batch), again, violations);
  EXPECT_TRUE(violations.empty());
  EXPECT_EQ(batch.SerializeAsString(), again.SerializeAsString());

  violations.clear();
  v1::CancelRequest cancel;
  FromJson(R"({"key":"a","batch":"b"})", cancel, violations);
  EXPECT_EQ(violations.size(), 1U) << "two of a oneof";
  violations.clear();
  cancel.Clear();
  FromJson(R"({"key":null,"all":true})", cancel, violations);
  EXPECT_TRUE(violations.empty());
  v1::ListRequest list;
  FromJson(R"({"page_size":-1,"filter":{"states":["PENDING","GREEN",7],"created_from_ms":1.5,"created_till_ms":"7"}})",
           list, violations);
  std::vector<std::string> named;
  for (const auto& violation : violations) named.push_back(violation.field);
  EXPECT_THAT(named, testing::ElementsAre("page_size", "filter.states[1]", "filter.states[2]", "filter.created_from_ms",
                                          "filter.created_till_ms"));
}

TEST(ApiRoutes, EveryPathNamesFieldsThatThereAre) {
  for (const ApiRoute& route : ApiRoutes()) {
    const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(route.service);
    ASSERT_NE(service, nullptr) << route.service;
    const auto* method = service->FindMethodByName(route.verb);
    ASSERT_NE(method, nullptr) << route.verb;
    EXPECT_EQ(method->server_streaming(), route.is_stream);
    for (const std::string_view part : Split(route.path, '/')) {
      if (!part.starts_with('{')) continue;
      const auto* field = FieldAt(*method->input_type(), part.substr(1, part.size() - 2));
      EXPECT_NE(field, nullptr) << route.path;
    }
    for (const ApiParameter& one : route.query)
      EXPECT_NE(FieldAt(*method->input_type(), one.field), nullptr) << one.field;
  }
}

// docs/openapi.json is what is served; a validator of others looks at it. SMSFLOW_REWRITE=1 writes it anew.
TEST(ApiRoutes, TheDocumentIsTheOneOfThePages) {
  const std::string path = "docs/openapi.json";
  // One path a line, so that a change of it can be read.
  std::string document = MakeOpenApi("1");
  for (std::size_t at = document.find("\"/api/v1"); at != std::string::npos; at = document.find("\"/api/v1", at + 2))
    document.insert(at++, "\n");
  document += "\n";
  if (std::getenv("SMSFLOW_REWRITE") != nullptr) {
    std::ofstream(path, std::ios::trunc) << document;
    return;
  }
  std::stringstream stands;
  stands << std::ifstream(path).rdbuf();
  EXPECT_EQ(stands.str(), document);
}

// Every verb with one question and one answer is there; so is the document, as it stands in the pages.
TEST(ApiRoutes, NoVerbIsForgotten) {
  std::set<std::string> served;
  for (const ApiRoute& route : ApiRoutes()) served.insert(std::string(route.service) + "/" + route.verb);
  for (const char* name : {"smsflow.v1.Scheduler", "smsflow.v1.Admin", "smsflow.v1.Iam"}) {
    const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    for (int i = 0; i < service->method_count(); ++i) {
      const auto* method = service->method(i);
      if (method->client_streaming() || method->server_streaming()) continue;
      EXPECT_TRUE(served.contains(method->service()->full_name() + "/" + method->name())) << method->full_name();
    }
  }
}

}  // namespace
}  // namespace smsflow::server::rest
