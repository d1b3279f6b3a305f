#include "server/rest/api_problem.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/json_object.h"
#include "server/grpc/status.h"
#include "server/rest/api.h"

namespace smsflow::server::rest {

namespace {

constexpr char kType[] = "application/problem+json";

// What is refused before there is a call has an HTTP status alone.
absl::StatusCode CodeOf(int status) {
  switch (status) {
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 408:
      return absl::StatusCode::kDeadlineExceeded;
    case 413:
    case 431:
      return absl::StatusCode::kResourceExhausted;
    case 405:
    case 501:
    case 505:
      return absl::StatusCode::kUnimplemented;
    case 503:
      return absl::StatusCode::kUnavailable;
    default:
      return status < 500 ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kInternal;
  }
}

}  // namespace

std::string ProblemJson(int status, absl::StatusCode code, std::string_view detail, const Violations& violations) {
  std::string out = absl::StrCat("{\"type\":\"about:blank\",\"title\":", crypto::JsonQuoted(ReasonOf(status)),
                                 ",\"status\":", status, ",\"detail\":", crypto::JsonQuoted(detail),
                                 ",\"code\":", crypto::JsonQuoted(absl::StatusCodeToString(code)));
  if (!violations.empty()) {
    const char* between = ",\"violations\":[";
    for (const auto& violation : violations) {
      absl::StrAppend(&out, between, "{\"field\":", crypto::JsonQuoted(violation.field),
                      ",\"description\":", crypto::JsonQuoted(violation.description), "}");
      between = ",";
    }
    out += ']';
  }
  return out + "}";
}

Response ProblemOf(const absl::Status& status, const Violations& violations) {
  Response response = Response::Error(status);
  const std::string detail = std::exchange(response.error, {});
  response.type = kType;
  response.body =
      ProblemJson(response.status, status.code(), violations.empty() ? detail : LineOf(violations), violations);
  return response;
}

Response ProblemOf(const grpc::Status& status) {
  return ProblemOf(absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message()),
                   DecodeViolations(status.error_details()));
}

void ShowProblem(const Problem& problem, Response& response) {
  response.type = kType;
  response.body = ProblemJson(problem.status, CodeOf(problem.status), problem.message, {});
}

}  // namespace smsflow::server::rest
