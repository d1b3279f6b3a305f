#include "server/rest/api_call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/grpc/received.h"
#include "server/rest/api_json.h"
#include "server/rest/api_problem.h"

namespace smsflow::server::rest {

ApiCall::ApiCall(CallQueue& queue, Workers& workers, Asked asked, Reply reply)
    : queue_(queue), workers_(workers), asked_(std::move(asked)), reply_(std::move(reply)) {
  asker_ = std::make_unique<Asker>(std::move(asked_.asker));
}

void ApiCall::Begin(CallQueue& queue, Workers& workers, Asked asked, Reply reply) {
  auto* const call = new ApiCall(queue, workers, std::move(asked), std::move(reply));
  queue.Run([call] { (*call->asked_.handle)(call, call->asked_.request.get(), call->asked_.response.get()); });
}

// Its reactor may still be at work: it hears of the end later, as it would of gRPC's.
void ApiCall::Finish(const grpc::Status& status) {
  queue_.Run([this, status] { Answer(status); });
}

void ApiCall::Answer(const grpc::Status& status) {
  struct Made {
    std::unique_ptr<google::protobuf::Message> response;
    Reply reply;
  };
  auto made = std::make_shared<Made>(Made{std::move(asked_.response), std::move(reply_)});
  if (!status.ok()) {
    made->reply(ProblemOf(status));
  } else {
    const auto show = [made] { made->reply(Response::Json(ToJson(*made->response))); };
    if (!workers_.TryRun(show)) show();
  }
  if (reactor_ != nullptr) reactor_->OnDone();
  WipePassword(*asked_.request);
  delete this;
}

std::string EventText(std::string_view id, std::string_view type, std::string_view data) {
  std::string out;
  if (!id.empty()) absl::StrAppend(&out, "id: ", std::string(id), "\n");
  absl::StrAppend(&out, "event: ", std::string(type), "\ndata: ", std::string(data), "\n\n");
  return out;
}

// Both ends hold it: the connection may go before the watch, and the watch before the connection.
class EventPipe {
 public:
  explicit EventPipe(CallQueue& queue) : queue_(queue) {}

  void Belongs(ApiWatch* watch) { watch_ = watch; }

  // From the watch: the next piece. Told as written once the connection has taken it.
  void Put(std::string piece) {
    BodySource::Ready ready;
    {
      const std::lock_guard lock(mutex_);
      if (gone_) return Written(false);
      if (!ready_) {
        piece_ = std::move(piece);
        return;
      }
      ready = std::exchange(ready_, {});
      Written(true);
    }
    ready(std::move(piece));
  }

  // From the watch: nothing more, but this. It is not told anything from now on.
  void End(std::string last) {
    BodySource::Ready ready;
    {
      const std::lock_guard lock(mutex_);
      watch_ = nullptr;
      ended_ = true;
      if (!ready_) {
        piece_ += last;
        return;
      }
      ready = std::exchange(ready_, {});
    }
    ready(std::move(last));  // an empty one is the end; after another one it is asked again
  }

  // From the connection.
  void Take(BodySource::Ready ready) {
    std::string piece;
    {
      const std::lock_guard lock(mutex_);
      if (piece_.empty() && !ended_) {
        ready_ = std::move(ready);
        return;
      }
      piece = std::exchange(piece_, {});
      if (!piece.empty()) Written(true);
    }
    ready(std::move(piece));
  }
  void Gone() {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    ready_ = {};
    if (watch_ == nullptr) return;
    if (!piece_.empty()) Written(false);
    queue_.Run([watch = watch_] { watch->TellCancelled(); });
  }

  void Beat() {
    BodySource::Ready ready;
    {
      const std::lock_guard lock(mutex_);
      if (!ready_) return;
      ready = std::exchange(ready_, {});
    }
    ready(std::string(":\n\n"));
  }

 private:
  // What the queue runs before the watch ends finds it there: the end stands behind it in the queue.
  void Written(bool ok) {
    if (watch_ != nullptr) queue_.Run([watch = watch_, ok] { watch->TellWritten(ok); });
  }

  CallQueue& queue_;
  std::mutex mutex_;
  ApiWatch* watch_ = nullptr;
  std::string piece_;
  BodySource::Ready ready_;
  bool ended_ = false;
  bool gone_ = false;
};

namespace {

class EventSource final : public BodySource {
 public:
  explicit EventSource(std::shared_ptr<EventPipe> pipe) : pipe_(std::move(pipe)) {}
  ~EventSource() override { pipe_->Gone(); }
  void Next(Ready ready) override { pipe_->Take(std::move(ready)); }

 private:
  const std::shared_ptr<EventPipe> pipe_;
};

}  // namespace

void EventPipes::Add(const std::shared_ptr<EventPipe>& pipe) {
  const std::lock_guard lock(mutex_);
  std::erase_if(pipes_, [](const auto& one) { return one.expired(); });
  pipes_.push_back(pipe);
}

void EventPipes::Beat() {
  std::vector<std::shared_ptr<EventPipe>> open;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& one : pipes_)
      if (auto pipe = one.lock()) open.push_back(std::move(pipe));
  }
  for (const auto& pipe : open) pipe->Beat();
}

ApiWatch::ApiWatch(CallQueue& queue, EventPipes& pipes, v1::WatchRequest request, Asker asker, Reply reply)
    : queue_(queue),
      pipes_(pipes),
      request_(std::move(request)),
      reply_(std::move(reply)),
      pipe_(std::make_shared<EventPipe>(queue)) {
  asker_ = std::make_unique<Asker>(std::move(asker));
  pipe_->Belongs(this);
}

void ApiWatch::Begin(CallQueue& queue, EventPipes& pipes, const Handle& handle, v1::WatchRequest request, Asker asker,
                     Reply reply) {
  auto* const watch = new ApiWatch(queue, pipes, std::move(request), std::move(asker), std::move(reply));
  queue.Run([watch, &handle] { handle(watch, &watch->request_); });
}

void ApiWatch::Write(const v1::WatchResponse* message) {
  pipe_->Put(EventText(message->token(), "transitions", ToJson(*message)));
  if (std::exchange(begun_, true)) return;
  Response response;
  response.type = "text/event-stream";
  response.stream = std::make_unique<EventSource>(pipe_);
  pipes_.Add(pipe_);
  std::exchange(reply_, {})(std::move(response));
}

void ApiWatch::Finish(const grpc::Status& status) {
  if (begun_) {
    pipe_->End(status.ok() ? "" : EventText("", "problem", ProblemOf(status).body));
  } else {
    pipe_->End("");
    std::exchange(reply_, {})(ProblemOf(status));
  }
  queue_.Run([this] {
    if (reactor_ != nullptr) reactor_->OnDone();
    delete this;
  });
}

void ApiWatch::TellWritten(bool ok) {
  if (reactor_ != nullptr) reactor_->OnWriteDone(ok);
}

void ApiWatch::TellCancelled() {
  cancelled_.store(true, std::memory_order_release);
  if (reactor_ != nullptr) reactor_->OnCancel();
}

}  // namespace smsflow::server::rest
