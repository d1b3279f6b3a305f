// /actuator: how it is, for monitors that knew the old system. Of what that showed besides, metrics have a port of
// their own, and nothing else is shown to everybody who can log in.
#include "crypto/json_object.h"
#include "server/rest/old_contract.h"

namespace smsflow::server::rest {

using Contract = std::shared_ptr<const OldContract>;

namespace {

constexpr char kType[] = "application/vnd.spring-boot.actuator.v3+json";

Response Show(std::string body) {
  Response response;
  response.type = kType;
  response.body = std::move(body);
  return response;
}

Response Index(const Request& request) {
  std::string body = "{\"_links\":{";
  const char* between = "";
  for (const auto& [name, path] :
       {std::pair("self", "/actuator"), std::pair("health", "/actuator/health"), std::pair("info", "/actuator/info")}) {
    body += std::string(between) + "\"" + name +
            "\":{\"href\":" + crypto::JsonQuoted("http://" + std::string(request.header("host")) + path) +
            ",\"templated\":false}";
    between = ",";
  }
  return Show(body + "}}");
}

// Up means that it takes new SMSes. What is in the way is for administrators alone.
Response Health(const Contract& contract, const Request& request) {
  const engine::Figures figures = contract->engine->TakeFigures();
  const bool up = contract->engine->TakesCreations();
  const auto word = [](bool good) { return std::string(good ? "\"UP\"" : "\"OUT_OF_SERVICE\""); };
  std::string body = "{\"status\":" + word(up);
  if (request.principal.HasRole(kAdminsRole)) {
    body += ",\"components\":{\"diskSpace\":{\"status\":" + word(!figures.disk_guard) +
            "},\"intake\":{\"status\":" + word(!figures.draining) + "},\"ping\":{\"status\":\"UP\"}}";
  }
  Response response = Show(body + "}");
  if (!up) response.status = 503;
  return response;
}

}  // namespace

void AddActuatorHandlers(const Contract& contract, Router& router) {
  router.Add(Method::kGet, "/actuator", [](Request request, Reply reply) { reply(Index(request)); });
  router.Add(Method::kGet, "/actuator/health",
             [contract](Request request, Reply reply) { reply(Health(contract, request)); });
  router.Add(Method::kGet, "/actuator/info", [contract](Request, Reply reply) {
    reply(Show("{\"smsflow\":{\"version\":" + crypto::JsonQuoted(contract->version) + "}}"));
  });
}

}  // namespace smsflow::server::rest
