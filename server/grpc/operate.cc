// Stats, Pause, Resume, Resolve, Drain: what an operator does to a running engine.
#include <chrono>
#include <thread>
#include <utility>

#include "logging/logging.h"
#include "server/grpc/admin_service.h"
#include "server/grpc/status.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/state.h"

namespace smsflow::server {

namespace delivery = workflows::delivery;

namespace {

constexpr std::size_t kReasonBytesMax = 256;
constexpr std::uint32_t kDrainMsMax = 600'000;
constexpr std::chrono::milliseconds kDrainLook(20);
// An idle partition copies its figures twice a second: what is younger than that says nothing of after the drain.
constexpr std::int64_t kFiguresMs = 700;

// The scope of a pause, and whether the caller may touch it.
absl::Status ScopeOf(const v1::PauseRequest& request, const Caller& caller, const Validation& validation,
                     engine::PauseRequest& pause, Violations& violations) {
  switch (request.scope_case()) {
    case v1::PauseRequest::kAll:
      if (!request.all()) violations.push_back({"all", "must be true"});
      pause.scope = storage::PauseScope::kAll;
      return NeedsAll(caller);
    case v1::PauseRequest::kTenant:
      validation.Name(request.tenant(), "tenant", violations);
      pause.scope = storage::PauseScope::kTenant;
      pause.tenant = request.tenant();
      break;
    case v1::PauseRequest::kBatch:
      validation.Name(request.batch().tenant(), "batch.tenant", violations);
      validation.Name(request.batch().batch(), "batch.batch", violations);
      pause.scope = storage::PauseScope::kIndexValue;
      pause.tenant = request.batch().tenant();
      pause.index = delivery::kBatchIndex;
      pause.index_name = "batch";
      pause.value = request.batch().batch();
      break;
    case v1::PauseRequest::kGateway:
      validation.Name(request.gateway(), "gateway", violations);
      pause.scope = storage::PauseScope::kGateway;
      pause.value = request.gateway();
      return NeedsAll(caller);
    default:
      violations.push_back({"scope", "must be one of all, tenant, batch and gateway"});
      return absl::OkStatus();
  }
  return caller.May(pause.tenant) ? absl::OkStatus()
                                  : absl::PermissionDeniedError("tenant: the credential does not allow it");
}

std::string_view NameOf(storage::PauseScope scope) {
  switch (scope) {
    case storage::PauseScope::kAll:
      return "all";
    case storage::PauseScope::kTenant:
      return "tenant";
    case storage::PauseScope::kIndexValue:
      return "batch";
    case storage::PauseScope::kGateway:
      return "gateway";
  }
  return "?";
}

class PauseCall final : public UnaryReactor {
 public:
  PauseCall(UnaryCall* call, const Doors& doors, v1::PauseResponse* response)
      : UnaryReactor(call), doors_(doors), response_(response) {}

  // Neither the batch nor the reason is logged: what people write there may name somebody.
  void Begin(engine::PauseRequest request) {
    std::vector<LogField> fields = {{"scope", std::string(NameOf(request.scope))}, {"by", request.actor}};
    if (!request.tenant.empty()) fields.push_back({"tenant", request.tenant});
    if (request.scope == storage::PauseScope::kGateway) fields.push_back({"gateway", request.value});
    const bool resume = request.resume;
    doors_.engine->Pause(std::move(request), [this, resume, fields = std::move(fields)](absl::Status status,
                                                                                        bool changed) mutable {
      doors_.answers->Run([this, resume, fields = std::move(fields), status = std::move(status), changed]() mutable {
        fields.push_back({"changed", changed ? "yes" : "no"});
        if (status.ok()) Log(LogLevel::kWarn, resume ? "resumed" : "paused", fields);
        response_->set_changed(changed);
        Finish(ToGrpc(status));
      });
    });
  }

 private:
  const Doors& doors_;
  v1::PauseResponse* response_;
};

class ResolveCall final : public UnaryReactor {
 public:
  ResolveCall(UnaryCall* call, const Doors& doors, v1::SmsStatus* response)
      : UnaryReactor(call), doors_(doors), response_(response) {}

  // On a reading thread.
  void Begin(const AdminAsked& asked, delivery::How how) {
    const auto instance = ReadFor(doors_, asked);
    if (!instance.ok()) return Finish(ToGrpc(instance.status()));
    doors_.engine->Send(
        {asked.id, instance->head.tenant(), asked.caller.name, delivery::EncodeResolve(how), {}},
        [this, asked = asked](engine::Answer answer) mutable {
          doors_.answers->Run([this, asked = std::move(asked), answer = std::move(answer)] { Reply(asked, answer); });
        });
  }

 private:
  void Reply(const AdminAsked& asked, const engine::Answer& answer) {
    if (!answer.status.ok()) return Finish(ToGrpc(answer.status, answer.violations));
    LogAbout(LogLevel::kWarn, asked.id, "an unknown was resolved", {{"by", asked.caller.name}});
    const bool taken = doors_.reads->TryRun([this, asked] {
      const auto instance = ReadFor(doors_, asked);
      Finish(ToGrpc(instance.ok() ? FillSmsStatus(*instance, response_) : instance.status()));
    });
    if (!taken) Finish(TooManyReads());
  }

  const Doors& doors_;
  v1::SmsStatus* response_;
};

}  // namespace

void AdminService::Serve(CallQueue& queue) {
  using Self = AdminService;
  queue.Unary(wire_, "GetJournal", *this, &Self::GetJournal);
  queue.Unary(wire_, "Explain", *this, &Self::Explain);
  queue.Writes(wire_, "Replay", *this, &Self::Replay);
  queue.Writes(wire_, "Verify", *this, &Self::Verify);
  queue.Unary(wire_, "Stats", *this, &Self::Stats);
  queue.Unary(wire_, "Pause", *this, &Self::Pause);
  queue.Unary(wire_, "Resume", *this, &Self::Resume);
  queue.Unary(wire_, "Resolve", *this, &Self::Resolve);
  queue.Unary(wire_, "Drain", *this, &Self::Drain);
}

void AdminService::Stats(UnaryCall* call, const v1::StatsRequest*, v1::StatsResponse* response) {
  auto caller = CallerOf(doors_, *call, kAdmin);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  if (absl::Status status = NeedsAll(*caller); !status.ok()) return call->Finish(ToGrpc(status));
  return Offload(doors_, call, [this, response]() -> absl::Status {
    for (NamedFigure& figure : doors_.figures()) {
      auto* item = response->add_items();
      std::string labels;
      for (const auto& [name, value] : figure.labels) {
        labels += (labels.empty() ? "{" : ",") + name + "=\"" + value + "\"";
      }
      item->set_name(figure.name + labels + (labels.empty() ? "" : "}"));
      item->set_value(figure.value);
      item->set_help(std::move(figure.help));
    }
    return absl::OkStatus();
  });
}

void AdminService::ChangePause(UnaryCall* call, const v1::PauseRequest& request, bool resume,
                               v1::PauseResponse* response) {
  auto caller = CallerOf(doors_, *call, kAdmin);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  Violations violations;
  engine::PauseRequest pause;
  const absl::Status allowed = ScopeOf(request, *caller, *doors_.validation, pause, violations);
  if (!allowed.ok()) return call->Finish(ToGrpc(allowed));
  if (request.reason().size() > kReasonBytesMax || !IsPrintable(request.reason())) {
    violations.push_back({"reason", "must be at most 256 bytes of printable UTF-8"});
  }
  if (!violations.empty()) return call->Finish(ToGrpc(violations));
  // To resume all is also a person's word that the clock is right.
  if (resume && pause.scope == storage::PauseScope::kAll) doors_.engine->TrustClock();
  pause.reason = request.reason();
  pause.actor = caller->name;
  pause.resume = resume;
  auto* one = new PauseCall(call, doors_, response);
  one->Begin(std::move(pause));
}

void AdminService::Pause(UnaryCall* call, const v1::PauseRequest* request, v1::PauseResponse* response) {
  return ChangePause(call, *request, false, response);
}

void AdminService::Resume(UnaryCall* call, const v1::PauseRequest* request, v1::PauseResponse* response) {
  return ChangePause(call, *request, true, response);
}

void AdminService::Resolve(UnaryCall* call, const v1::ResolveRequest* request, v1::SmsStatus* response) {
  auto asked = AskedOf(doors_, *call, request->id());
  if (!asked.ok()) return call->Finish(ToGrpc(asked.status()));
  if (request->how() == v1::ResolveRequest::HOW_UNSPECIFIED || !v1::ResolveRequest::How_IsValid(request->how())) {
    return call->Finish(ToGrpc({{"how", "must be delivered, retry or give up"}}));
  }
  auto* one = new ResolveCall(call, doors_, response);
  const bool taken = doors_.reads->TryRun(
      [one, asked = *std::move(asked), how = static_cast<delivery::How>(request->how())] { one->Begin(asked, how); });
  if (!taken) call->Finish(TooManyReads());
}

void AdminService::Drain(UnaryCall* call, const v1::DrainRequest* request, v1::DrainResponse* response) {
  auto caller = CallerOf(doors_, *call, kAdmin);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  if (absl::Status status = NeedsAll(*caller); !status.ok()) return call->Finish(ToGrpc(status));
  if (request->timeout_ms() > kDrainMsMax) {
    return call->Finish(ToGrpc({{"timeout_ms", "must be at most 600000"}}));
  }
  Log(LogLevel::kWarn, "draining: nothing is accepted and nothing leaves", {{"by", caller->name}});
  doors_.engine->Drain(true);
  const bool taken = doors_.jobs->TryRun([this, call, timeout_ms = request->timeout_ms(), response] {
    const std::int64_t begin_ms = doors_.clock->SteadyMs();
    const auto waits = [&](std::uint64_t in_flight) {
      const std::int64_t waited_ms = doors_.clock->SteadyMs() - begin_ms;
      if (closing_ || call->IsCancelled()) return false;
      return waited_ms < kFiguresMs || (in_flight != 0 && waited_ms < timeout_ms);
    };
    std::uint64_t in_flight = doors_.engine->TakeFigures().open_leases;
    while (waits(in_flight)) {
      std::this_thread::sleep_for(kDrainLook);
      in_flight = doors_.engine->TakeFigures().open_leases;
    }
    response->set_in_flight(in_flight);
    call->Finish(grpc::Status::OK);
  });
  if (!taken) call->Finish(TooManyReads());
}

}  // namespace smsflow::server
