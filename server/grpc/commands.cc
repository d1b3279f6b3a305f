// Cancel, Reschedule, Block, Unblock: what a client says about SMSes that it scheduled before.
#include <utility>

#include "server/grpc/scheduler_service.h"
#include "server/grpc/status.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server {

namespace delivery = workflows::delivery;
using delivery::Outcome;

namespace {

std::uint64_t CountOf(const std::vector<std::uint64_t>& outcomes, Outcome outcome) {
  const auto number = static_cast<std::size_t>(outcome);
  return number < outcomes.size() ? outcomes[number] : 0;
}

class CancelCall final : public UnaryReactor {
 public:
  CancelCall(UnaryCall* call, const Doors& doors, v1::CancelResponse* response)
      : UnaryReactor(call), doors_(doors), response_(response) {}

  void One(Caller caller, const InstanceId& id) {
    doors_.engine->Send({id, std::move(caller.tenant), std::move(caller.name), delivery::EncodeCancel(), {}},
                        [this](engine::Answer answer) {
                          one_ = std::move(answer);
                          doors_.answers->Run([this] { ReplyOne(); });
                        });
  }
  void Many(engine::SweepRequest request) {
    doors_.engine->Sweep(std::move(request), [this](engine::SweepAnswer answer) {
      many_ = std::move(answer);
      doors_.answers->Run([this] { ReplyMany(); });
    });
  }

 private:
  void ReplyOne() {
    // Both are answers, not errors: it is over, or out of our hands.
    switch (static_cast<Outcome>(one_.outcome)) {
      case Outcome::kCanceled:
        response_->set_outcome(v1::CANCEL_CANCELED);
        response_->set_canceled(1);
        return Finish(grpc::Status::OK);
      case Outcome::kTooLate:
        response_->set_outcome(v1::CANCEL_TOO_LATE);
        response_->set_too_late(1);
        return Finish(grpc::Status::OK);
      case Outcome::kAlreadyEnded:
        response_->set_outcome(v1::CANCEL_ALREADY_ENDED);
        response_->set_already_ended(1);
        return Finish(grpc::Status::OK);
      default:
        return Finish(
            ToGrpc(one_.status.ok() ? absl::InternalError("cancel: an outcome that is not known") : one_.status));
    }
  }
  void ReplyMany() {
    response_->set_canceled(CountOf(many_.outcomes, Outcome::kCanceled));
    response_->set_too_late(CountOf(many_.outcomes, Outcome::kTooLate));
    response_->set_already_ended(CountOf(many_.outcomes, Outcome::kAlreadyEnded));
    Finish(ToGrpc(many_.status));
  }

  const Doors& doors_;
  v1::CancelResponse* response_;
  engine::Answer one_;
  engine::SweepAnswer many_;
};

// The SMSes that a Cancel names, but for those by id.
Violations SweepOf(const v1::CancelRequest& request, const Validation& validation, engine::SweepRequest& sweep) {
  Violations violations;
  switch (request.what_case()) {
    case v1::CancelRequest::kKey:
      validation.Name(request.key(), "key", violations);
      sweep.index = delivery::kKeyIndex;
      sweep.value = request.key();
      break;
    case v1::CancelRequest::kBatch:
      validation.Name(request.batch(), "batch", violations);
      sweep.index = delivery::kBatchIndex;
      sweep.value = request.batch();
      break;
    case v1::CancelRequest::kTarget:
      validation.Name(request.target(), "target", violations);
      sweep.index = delivery::kTargetIndex;
      sweep.value = request.target();
      sweep.target = request.target();
      break;
    case v1::CancelRequest::kAll:
      if (!request.all()) violations.push_back({"all", "must be true"});
      break;
    default:
      violations.push_back({"what", "must be one of id, key, batch, target and all"});
  }
  return violations;
}

class RescheduleCall final : public UnaryReactor {
 public:
  RescheduleCall(UnaryCall* call, const Doors& doors, v1::SmsStatus* response)
      : UnaryReactor(call), doors_(doors), response_(response) {}

  // On a reading thread: the envelope is checked against the key of the SMS, which is stored.
  void Begin(const InstanceId& id, const std::string& tenant, const std::string& actor,
             v1::RescheduleRequest&& request) {
    const auto instance = doors_.reader->Get(id, tenant);
    if (!instance.ok()) return Finish(ToGrpc(instance.status()));
    const std::string key = doors_.delivery->ClientKey(instance->head.fixed());
    engine::EventRequest event{id, tenant, actor, {}, {}};
    const Violations violations =
        doors_.validation->Reschedule(std::move(request), tenant, key, doors_.clock->WallMs(), event);
    if (!violations.empty()) return Finish(ToGrpc(violations));
    doors_.engine->Send(std::move(event), [this, tenant = tenant](engine::Answer answer) mutable {
      doors_.answers->Run([this, tenant = std::move(tenant), answer = std::move(answer)] { Reply(tenant, answer); });
    });
  }

 private:
  void Reply(const std::string& tenant, const engine::Answer& answer) {
    if (!answer.status.ok()) return Finish(ToGrpc(answer.status, answer.violations));
    if (!doors_.reads->TryRun([this, tenant, id = answer.id] { ReadAndReply(tenant, id); })) Finish(TooManyReads());
  }
  void ReadAndReply(const std::string& tenant, const InstanceId& id) {
    const auto instance = doors_.reader->Get(id, tenant);
    Finish(ToGrpc(instance.ok() ? FillSmsStatus(*instance, response_) : instance.status()));
  }

  const Doors& doors_;
  v1::SmsStatus* response_;
};

// Block and Unblock differ in what they answer.
template <class Response, class Fill>
class MembershipCall final : public UnaryReactor {
 public:
  MembershipCall(UnaryCall* call, const Doors& doors, Response* response, Fill fill)
      : UnaryReactor(call), doors_(doors), response_(response), fill_(fill) {}

  void Begin(Caller caller, const std::string& target, bool block) {
    engine::SweepRequest request;
    request.workflow = delivery::kWorkflowNumber;
    request.tenant = std::move(caller.tenant);
    request.actor = std::move(caller.name);
    request.index = delivery::kTargetIndex;
    request.value = target;
    request.target = target;
    request.event = delivery::EncodeBlock();
    request.membership = workflows::MembershipChange{delivery::kBlockedSet, block};
    request.sweep = block;
    doors_.engine->Sweep(std::move(request), [this](engine::SweepAnswer answer) {
      answer_ = std::move(answer);
      doors_.answers->Run([this] {
        fill_(answer_, response_);
        Finish(ToGrpc(answer_.status));
      });
    });
  }

 private:
  const Doors& doors_;
  Response* response_;
  Fill fill_;
  engine::SweepAnswer answer_;
};

}  // namespace

void SchedulerService::Cancel(UnaryCall* call, const v1::CancelRequest* request, v1::CancelResponse* response) {
  auto caller = CallerOf(doors_, *call, kClient);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  if (request->what_case() == v1::CancelRequest::kId) {
    Violations violations;
    const auto id = Validation::Id(request->id(), "id", violations);
    if (!id) return call->Finish(ToGrpc(violations));
    return (new CancelCall(call, doors_, response))->One(*std::move(caller), *id);
  }
  engine::SweepRequest sweep;
  const Violations violations = SweepOf(*request, *doors_.validation, sweep);
  if (!violations.empty()) return call->Finish(ToGrpc(violations));
  sweep.workflow = delivery::kWorkflowNumber;
  sweep.tenant = std::move(caller->tenant);
  sweep.actor = std::move(caller->name);
  sweep.event = delivery::EncodeCancel();
  auto* one = new CancelCall(call, doors_, response);
  one->Many(std::move(sweep));
}

void SchedulerService::Reschedule(UnaryCall* call, const v1::RescheduleRequest* request, v1::SmsStatus* response) {
  auto caller = CallerOf(doors_, *call, kClient);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  Violations violations;
  const auto id = Validation::Id(request->id(), "id", violations);
  if (!id) return call->Finish(ToGrpc(violations));
  auto* one = new RescheduleCall(call, doors_, response);
  const bool taken = doors_.reads->TryRun([one, id = *id, caller = *std::move(caller), copy = *request]() mutable {
    one->Begin(id, caller.tenant, caller.name, std::move(copy));
  });
  if (!taken) call->Finish(TooManyReads());
}

void SchedulerService::Block(UnaryCall* call, const v1::BlockRequest* request, v1::BlockResponse* response) {
  auto caller = CallerOf(doors_, *call, kClient);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  Violations violations;
  doors_.validation->Name(request->target(), "target", violations);
  if (!violations.empty()) return call->Finish(ToGrpc(violations));
  auto fill = [](const engine::SweepAnswer& answer, v1::BlockResponse* out) {
    out->set_blocked(CountOf(answer.outcomes, Outcome::kBlocked));
    out->set_too_late(CountOf(answer.outcomes, Outcome::kTooLate));
  };
  auto* one = new MembershipCall<v1::BlockResponse, decltype(fill)>(call, doors_, response, fill);
  one->Begin(*std::move(caller), request->target(), true);
}

void SchedulerService::Unblock(UnaryCall* call, const v1::UnblockRequest* request, v1::UnblockResponse* response) {
  auto caller = CallerOf(doors_, *call, kClient);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  Violations violations;
  doors_.validation->Name(request->target(), "target", violations);
  if (!violations.empty()) return call->Finish(ToGrpc(violations));
  auto fill = [](const engine::SweepAnswer& answer, v1::UnblockResponse* out) { out->set_was_blocked(answer.changed); };
  auto* one = new MembershipCall<v1::UnblockResponse, decltype(fill)>(call, doors_, response, fill);
  one->Begin(*std::move(caller), request->target(), false);
}

}  // namespace smsflow::server
