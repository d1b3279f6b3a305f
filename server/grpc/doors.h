// What every service of the gRPC door needs of the rest of the house, and the little that they share.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "engine/reader.h"
#include "engine/seams.h"
#include "server/auth.h"
#include "server/config.h"
#include "server/figures.h"
#include "server/grpc/call_queue.h"
#include "server/grpc/calls.h"
#include "server/grpc/status.h"
#include "server/grpc/validation.h"
#include "server/grpc/workers.h"
#include "smsflow/v1/scheduler.pb.h"
#include "workflows/workflow.h"

namespace smsflow::server {

// All of it is thread-safe and outlives the services.
struct Doors {
  engine::Engine* engine = nullptr;
  const engine::Reader* reader = nullptr;
  const Authenticator* authenticator = nullptr;
  const Validation* validation = nullptr;
  const engine::Clock* clock = nullptr;
  const workflows::Workflow* delivery = nullptr;
  LimitsConfig limits;
  std::string engine_epoch;
  std::uint16_t shards = 0;
  CallQueue* answers = nullptr;  // sends what became durable, so that no partition waits for a socket
  Workers* reads = nullptr;      // may block for the disk
  Workers* jobs = nullptr;       // may take long: replay, verify, drain
  std::function<std::vector<NamedFigure>()> figures;
};

// Of the call's metadata `authorization` and `smsflow-tenant`.
absl::StatusOr<Caller> CallerOf(const Doors& doors, const CallContext& context, Role role);

// RESOURCE_EXHAUSTED, for a queue of reads that is full.
grpc::Status TooManyReads();

// Runs `read`, which returns a status, on a reading thread and finishes the call with what it returns.
template <class Read>
void Offload(const Doors& doors, UnaryCall* call, Read read) {
  if (!doors.reads->TryRun([call, read = std::move(read)]() mutable { call->Finish(ToGrpc(read())); })) {
    call->Finish(TooManyReads());
  }
}

// How an SMS is shown to clients; DATA_LOSS when its bytes are not those of a delivery.
absl::Status FillSmsStatus(const engine::StoredInstance& instance, v1::SmsStatus* status);

}  // namespace smsflow::server
