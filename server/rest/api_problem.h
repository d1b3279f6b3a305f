// Errors as RFC 9457 has them: `{type, title, status, detail, code, violations: [{field, description}]}`. `code` is the
// canonical code, as over gRPC. Pure functions.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "server/rest/http.h"
#include "server/violations.h"

namespace smsflow::server::rest {

Response ProblemOf(const absl::Status& status, const Violations& violations = {});
// With what stands in its details.
Response ProblemOf(const grpc::Status& status);
std::string ProblemJson(int status, absl::StatusCode code, std::string_view detail, const Violations& violations);

}  // namespace smsflow::server::rest
