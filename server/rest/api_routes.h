// What /api/v1 has: each path with the verb of the gRPC services that it is, in one table. Requests are served and the
// OpenAPI document is made from it, so neither can say what the other does not.
#pragma once

#include <string_view>
#include <vector>

#include "server/rest/http.h"

namespace smsflow::server::rest {

struct ApiParameter {
  const char* name;   // in the query
  const char* field;  // of the request: its path
};

struct ApiRoute {
  Method method;
  const char* path;     // what stands in braces are fields of the request
  const char* service;  // "smsflow.v1.Scheduler"
  const char* verb;
  const char* summary;
  bool has_body = false;  // the request, but for the fields of the path
  std::vector<ApiParameter> query = {};
  bool is_stream = false;  // as server-sent events
};

const std::vector<ApiRoute>& ApiRoutes();

// The document, as OpenAPI 3.1 in JSON.
std::string MakeOpenApi(std::string_view version);

}  // namespace smsflow::server::rest
