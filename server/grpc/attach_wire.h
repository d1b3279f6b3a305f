// Between the messages of `Gateway.Attach` and what the engine speaks. Pure, but for the key under which marks are
// sealed.
#pragma once

#include <string>
#include <vector>

#include "engine/bus.h"
#include "server/auth.h"
#include "server/grpc/status.h"
#include "smsflow/v1/gateway.pb.h"
#include "storage/index_keys.h"
#include "workflows/workflow.h"

namespace smsflow::server {

// All rules of a Hello at once; PERMISSION_DENIED for a tenant or a gateway that the credential does not allow.
// A mark without our seal was not given out by this folder's engine: it says nothing of what was lost, and is left out.
absl::StatusOr<engine::PeerHello> HelloOf(const v1::Hello& hello, const Caller& caller, const storage::IndexKeys& keys,
                                          Violations& violations);

// What was reported of which attempt.
struct AttemptReport {
  AttemptId attempt;
  workflows::Event event;
};

// INVALID_ARGUMENT: no attempt's id, or a result or a subject that does not exist.
absl::StatusOr<AttemptReport> ReportOf(const v1::Report& report);

void FillLease(engine::Lease&& lease, v1::Lease* out);
// Seals the highest mark of each shard, which is the one to keep, on every lease that carries it: the leases of one
// commit share a sequence, and a gateway may keep whichever it sees first. One seal is made for each shard, not lease.
void SealMarks(const storage::IndexKeys& keys, v1::Leases& leases);
v1::ReportAnswer::Outcome OutcomeOf(engine::ReportOutcome outcome);

}  // namespace smsflow::server
