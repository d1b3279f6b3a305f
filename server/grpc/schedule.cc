// Schedule and ScheduleBatch: the hot path. A call is one object that lives until gRPC is done with it; the engine's
// answer is kept in it and sent by the thread that serves calls, with all that became durable together.
#include <atomic>
#include <utility>
#include <vector>

#include "server/grpc/scheduled.h"
#include "server/grpc/scheduler_service.h"
#include "server/grpc/status.h"

namespace smsflow::server {

namespace {

// Requests are gRPC's, but nobody reads them after us: names and payloads are moved instead of copied.
template <class Message>
Message&& Own(const Message& message) {
  return std::move(const_cast<Message&>(message));
}

// So few answers are sent by the partition that has them: to wake another thread for them would take longer.
constexpr int kFewOpen = 4;

class ScheduleCall final : public UnaryReactor {
 public:
  // `open` counts those that the engine has.
  ScheduleCall(UnaryCall* call, const Doors& doors, std::atomic<int>& open, v1::ScheduleResponse* response)
      : UnaryReactor(call), doors_(doors), open_(open), response_(response) {}

  void Begin(Caller caller, v1::ScheduleRequest&& request) {
    engine::CreateRequest create;
    create.tenant = std::move(caller.tenant);
    create.actor = std::move(caller.name);
    const Violations violations = doors_.validation->Schedule(std::move(request), doors_.clock->WallMs(), create);
    if (!violations.empty()) return Finish(ToGrpc(violations));
    open_.fetch_add(1, std::memory_order_relaxed);
    doors_.engine->Create(std::move(create), [this](engine::Answer answer) {
      answer_ = std::move(answer);
      if (open_.fetch_sub(1, std::memory_order_relaxed) <= kFewOpen) return Reply();
      doors_.answers->Run([this] { Reply(); });
    });
  }

 private:
  void Reply() {
    absl::Status status = answer_.status;
    if (status.ok()) status = FillScheduled(answer_, response_);
    Finish(ToGrpc(status, answer_.violations));
  }

  const Doors& doors_;
  std::atomic<int>& open_;
  v1::ScheduleResponse* response_;
  engine::Answer answer_;
};

class BatchCall final : public UnaryReactor {
 public:
  BatchCall(UnaryCall* call, const Doors& doors, v1::ScheduleBatchResponse* response, std::size_t items)
      : UnaryReactor(call), doors_(doors), response_(response), answers_(items), left_(items + 1) {}

  void Begin(const Caller& caller, v1::ScheduleBatchRequest&& request) {
    const std::int64_t now_ms = doors_.clock->WallMs();
    for (std::size_t i = 0; i < answers_.size(); ++i) {
      engine::CreateRequest create;
      create.tenant = caller.tenant;
      create.actor = caller.name;
      Violations violations =
          doors_.validation->Schedule(std::move(*request.mutable_items(static_cast<int>(i))), now_ms, create);
      if (violations.empty()) {
        doors_.engine->Create(std::move(create), [this, i](engine::Answer answer) {
          answers_[i] = std::move(answer);
          OneAnswered();
        });
        continue;
      }
      answers_[i].status = ToStatus(violations);
      answers_[i].violations = std::move(violations);
      OneAnswered();
    }
    OneAnswered();  // the one more, so that nothing is sent before all were asked for
  }

 private:
  void OneAnswered() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) doors_.answers->Run([this] { Reply(); });
  }
  void Reply() {
    response_->mutable_results()->Reserve(static_cast<int>(answers_.size()));
    for (const engine::Answer& answer : answers_) FillResult(answer, response_->add_results());
    Finish(grpc::Status::OK);
  }

  const Doors& doors_;
  v1::ScheduleBatchResponse* response_;
  std::vector<engine::Answer> answers_;
  std::atomic<std::size_t> left_;
};

}  // namespace

void SchedulerService::Schedule(UnaryCall* call, const v1::ScheduleRequest* request, v1::ScheduleResponse* response) {
  auto caller = CallerOf(doors_, *call, kClient);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  auto* one = new ScheduleCall(call, doors_, schedules_open_, response);
  one->Begin(*std::move(caller), Own(*request));
}

void SchedulerService::ScheduleBatch(UnaryCall* call, const v1::ScheduleBatchRequest* request,
                                     v1::ScheduleBatchResponse* response) {
  auto caller = CallerOf(doors_, *call, kClient);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  const auto items = static_cast<std::size_t>(request->items_size());
  if (items == 0 || items > doors_.limits.batch_items) {
    return call->Finish(ToGrpc({{"items", "must be 1 to " + std::to_string(doors_.limits.batch_items) + " items"}}));
  }
  auto* one = new BatchCall(call, doors_, response, items);
  one->Begin(*caller, Own(*request));
}

}  // namespace smsflow::server
