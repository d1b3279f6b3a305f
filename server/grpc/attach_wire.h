// Between the messages of `Gateway.Attach` and what the engine speaks. Pure.
#pragma once

#include <string>
#include <vector>

#include "engine/bus.h"
#include "server/auth.h"
#include "server/grpc/status.h"
#include "smsflow/v1/gateway.pb.h"
#include "workflows/workflow.h"

namespace smsflow::server {

// All rules of a Hello at once; PERMISSION_DENIED for a tenant that the credential does not allow.
absl::StatusOr<engine::PeerHello> HelloOf(const v1::Hello& hello, const Caller& caller, Violations& violations);

// INVALID_ARGUMENT: a result or a subject that does not exist.
absl::StatusOr<workflows::Event> ReportEventOf(const v1::Report& report);

void FillLease(engine::Lease&& lease, v1::Lease* out);
v1::ReportAnswer::Outcome OutcomeOf(engine::ReportOutcome outcome);

}  // namespace smsflow::server
