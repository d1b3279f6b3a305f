// Canonical errors as gRPC tells them: code, one line, and in `grpc-status-details-bin` a google.rpc.Status with every
// field violation at once (google.rpc.BadRequest) or a hint when to try again (google.rpc.RetryInfo).
//
// Plain functions; safe from any thread.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "server/violations.h"
#include "smsflow/v1/scheduler.pb.h"

namespace smsflow::server {

namespace v1 = ::smsflow::v1;

// RESOURCE_EXHAUSTED and UNAVAILABLE get a RetryInfo.
grpc::Status ToGrpc(const absl::Status& status, const Violations& violations = {});
// INVALID_ARGUMENT whose line holds them all; REQUIRES at least one.
grpc::Status ToGrpc(const Violations& violations);

void FillItemError(const absl::Status& status, const Violations& violations, v1::ItemError* error);

// The encoded google.rpc.Status, for tests and for other doors.
std::string EncodeDetails(int code, const std::string& message, const Violations& violations, int retry_after_ms);
// The violations that stand in such a status; none where it is none.
Violations DecodeViolations(const std::string& details);

}  // namespace smsflow::server
