// ScheduleStream: requests as fast as the client sends them, answers in one message for all that became durable
// together. A client that does not read its answers is not read from either.
#include <mutex>
#include <utility>
#include <vector>

#include "server/grpc/answering_stream.h"
#include "server/grpc/scheduled.h"
#include "server/grpc/scheduler_service.h"
#include "server/grpc/status.h"

namespace smsflow::server {

namespace {

// Requests of one stream whose answers have not been sent; beyond it, it is not read from.
constexpr std::size_t kOpenMax = 4'096;

class StreamCall final : public AnsweringStream<v1::ScheduleStreamRequest, v1::ScheduleStreamResponse> {
 public:
  StreamCall(BidiStream<v1::ScheduleStreamRequest, v1::ScheduleStreamResponse>* stream, const Doors& doors,
             OpenStreams& streams, Caller caller)
      : AnsweringStream(stream, streams), doors_(doors), caller_(std::move(caller)) {}

 private:
  struct Answered {
    std::uint64_t tag;
    engine::Answer answer;
  };

  void OnReadDone(bool ok) override {
    if (!ok) return End(absl::OkStatus());
    {
      const std::lock_guard lock(mutex_);
      if (ending_) return;  // it was not taken: the client sees that by its answer missing
      ++open_;
    }
    const std::uint64_t tag = request_.tag();
    engine::CreateRequest create;
    create.tenant = caller_.tenant;
    create.actor = caller_.name;
    Violations violations =
        doors_.validation->Schedule(std::move(*request_.mutable_item()), doors_.clock->WallMs(), create);
    request_.Clear();
    // Decided before the engine gets it: from then on its answer may end the stream.
    bool read_on = false;
    {
      const std::lock_guard lock(mutex_);
      read_on = open_ < kOpenMax && !ending_;
      reading_ = read_on;
    }
    if (violations.empty()) {
      doors_.engine->Create(std::move(create), [this, tag](engine::Answer answer) { Take(tag, std::move(answer)); });
    } else {
      engine::Answer refused;
      refused.status = ToStatus(violations);
      refused.violations = std::move(violations);
      Take(tag, std::move(refused));
    }
    const std::lock_guard lock(mutex_);
    if (read_on && !finished_) StartRead(&request_);
  }

  void Take(std::uint64_t tag, engine::Answer answer) {
    {
      const std::lock_guard lock(mutex_);
      answered_.push_back({tag, std::move(answer)});
      if (flushing_) return;
      flushing_ = true;
    }
    doors_.answers->Run([this] { Flush(); });
  }

  // On the thread that serves calls; once at a time, `flushing_` sees to that.
  void Flush() {
    std::vector<Answered> batch;
    {
      const std::lock_guard lock(mutex_);
      batch.swap(answered_);
      if (batch.empty() || broken_) {
        open_ -= batch.size();
        flushing_ = false;
        return FinishIfDone();
      }
      sending_ = batch.size();
    }
    response_.Clear();
    for (const Answered& one : batch) {
      auto* answer = response_.add_answers();
      answer->set_tag(one.tag);
      FillResult(one.answer, answer->mutable_result());
    }
    StartWrite(&response_);
  }

  void OnWriteDone(bool ok) override {
    bool read_on = false;
    {
      const std::lock_guard lock(mutex_);
      open_ -= sending_;
      if (!ok) broken_ = true;
      read_on = !reading_ && !ending_ && open_ < kOpenMax;
      if (read_on) reading_ = true;
    }
    // Not finished yet: `flushing_` is still set.
    if (read_on) StartRead(&request_);
    Flush();
  }

  bool Owes() const override { return open_ != 0; }

  const Doors& doors_;
  const Caller caller_;

  // Under mutex_.
  std::vector<Answered> answered_;
  std::size_t open_ = 0;  // read, but its answer is not sent
  std::size_t sending_ = 0;
  bool reading_ = true;
};

}  // namespace

void SchedulerService::ScheduleStream(BidiStream<v1::ScheduleStreamRequest, v1::ScheduleStreamResponse>* stream) {
  auto caller = CallerOf(doors_, *stream, kClient);
  if (!caller.ok()) return stream->Finish(ToGrpc(caller.status()));
  auto* call = new StreamCall(stream, doors_, streams_, *std::move(caller));
  call->Begin();
}

}  // namespace smsflow::server
