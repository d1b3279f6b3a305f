#include "tools/cli/failure.h"

#include <google/protobuf/unknown_field_set.h>

namespace smsflow::cli {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// google.rpc.Status, google.protobuf.Any and google.rpc.BadRequest are read by their field numbers: their .proto files
// are in no package, and these three numbers will not change.
constexpr int kStatusDetails = 3;
constexpr int kAnyType = 1, kAnyValue = 2;
constexpr int kBadRequestViolations = 1;
constexpr int kViolationField = 1, kViolationDescription = 2;

template <typename Use>
void ForEach(std::string_view message, int number, Use use) {
  UnknownFieldSet fields;
  if (!fields.ParseFromString(std::string(message))) return;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.number() == number && field.type() == UnknownField::TYPE_LENGTH_DELIMITED) use(field.length_delimited());
  }
}

std::string Text(std::string_view message, int number) {
  std::string text;
  ForEach(message, number, [&](const std::string& value) { text = value; });
  return text;
}

}  // namespace

int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return kExitDenied;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnimplemented:
      return kExitRefused;
    default:
      return kExitUnreachable;
  }
}

bool IsForSomeTenantsOnly(const absl::Status& status) {
  return status.code() == absl::StatusCode::kPermissionDenied &&
         status.message().find("some tenants only") != std::string_view::npos;
}

std::string Violations(std::string_view status_details) {
  std::string out;
  ForEach(status_details, kStatusDetails, [&](const std::string& any) {
    if (!Text(any, kAnyType).ends_with("/google.rpc.BadRequest")) return;
    ForEach(Text(any, kAnyValue), kBadRequestViolations, [&](const std::string& violation) {
      if (!out.empty()) out += "; ";
      out += Text(violation, kViolationField) + ": " + Text(violation, kViolationDescription);
    });
  });
  return out;
}

}  // namespace smsflow::cli
