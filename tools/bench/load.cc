#include "tools/bench/load.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "engine/seams.h"
#include "smsflow/v1/scheduler.grpc.pb.h"
#include "tools/bench/instant_gateway.h"
#include "tools/bench/rest_load.h"
#include "tools/bench/server_process.h"
#include "tools/bench/window.h"

namespace smsflow::bench {
namespace {

constexpr std::int64_t kAheadSeconds = 30 * 24 * 3600;
constexpr int kMessageBytesMax = 64 << 20;

void Fill(const Sms& sms, v1::ScheduleRequest* request) {
  request->set_batch(sms.batch);
  request->set_key(sms.key);
  request->set_target(sms.target);
  request->set_idempotency_key(sms.idempotency_key);
  request->set_schedule(std::to_string(sms.from_s) + "-" + std::to_string(sms.till_s));
  request->set_payload(sms.payload.data(), sms.payload.size());
}

// What unary calls and batches differ in.
struct UnaryCalls {
  using Request = v1::ScheduleRequest;
  using Response = v1::ScheduleResponse;
  static constexpr std::uint32_t kItems = 1;
  static v1::ScheduleRequest* Next(Request& request) { return &request; }
  static auto Begin(v1::Scheduler::Stub& stub, grpc::ClientContext* context, const Request& request,
                    grpc::CompletionQueue* queue) {
    return stub.AsyncSchedule(context, request, queue);
  }
  static std::uint32_t Failures(const Response& response, std::string& why) {
    if (response.id().size() == 16) return 0;
    why = "an answer without an id";
    return 1;
  }
};
struct BatchCalls {
  using Request = v1::ScheduleBatchRequest;
  using Response = v1::ScheduleBatchResponse;
  static constexpr std::uint32_t kItems = kBatchItems;
  static v1::ScheduleRequest* Next(Request& request) { return request.add_items(); }
  static auto Begin(v1::Scheduler::Stub& stub, grpc::ClientContext* context, const Request& request,
                    grpc::CompletionQueue* queue) {
    return stub.AsyncScheduleBatch(context, request, queue);
  }
  static std::uint32_t Failures(const Response& response, std::string& why) {
    std::uint32_t failures = 0;
    for (const auto& result : response.results()) {
      if (result.has_scheduled()) continue;
      ++failures;
      why = result.error().ShortDebugString();
    }
    return failures;
  }
};

class LoadBase : public Load {
 public:
  explicit LoadBase(const LoadOptions& options)
      : options_(options), source_(options.profile, options.lane), window_(options.in_flight) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
    stub_ = v1::Scheduler::NewStub(
        grpc::CreateCustomChannel(options.address, grpc::InsecureChannelCredentials(), arguments));
    if (options.lives)
      gateway_ = InstantGateway::Attach({options.address, [this](std::size_t count) { window_.Leave(count); }, {}});
  }
  std::uint64_t failures() const override { return failures_.load(std::memory_order_relaxed); }
  std::string first_failure() const override {
    const std::lock_guard lock(why_mutex_);
    return why_;
  }

  Slice Run(double seconds) override {
    const double end = Now() + seconds;
    return Timed([end] { return Now() < end; });
  }
  Slice RunCount(std::uint64_t count) override {
    const std::uint64_t enough = window_.over() + count;
    return Timed([this, enough] { return window_.over() + window_.in() < enough; });
  }

 protected:
  // Keeps the window full as long as `more` says so, and waits for its own calls.
  virtual void LoadWhile(const std::function<bool()>& more) = 0;

  Slice Timed(const std::function<bool()>& more) {
    const double begun = Now();
    const std::uint64_t before = window_.over();
    LoadWhile(more);
    window_.AwaitBelow(1);
    return {window_.over() - before, Now() - begun, 0};
  }
  Sms NextSms() {
    const std::int64_t now_s = engine::SystemClock().WallMs() / 1000;
    if (options_.from_s != 0) return source_.Next(options_.from_s);
    return source_.Next(options_.due_at_once ? now_s - 1 : now_s + kAheadSeconds);
  }
  void Failed(std::uint32_t count, const std::string& why) {
    failures_ += count;
    const std::lock_guard lock(why_mutex_);
    if (why_.empty()) why_ = why;
  }
  static void Authorize(grpc::ClientContext& context) {
    context.AddMetadata("authorization", std::string("Bearer ") + ServerProcess::client_token());
  }

  const LoadOptions options_;
  SmsSource source_;
  Window window_;
  std::atomic<std::uint64_t> failures_{0};
  mutable std::mutex why_mutex_;
  std::string why_;
  std::unique_ptr<v1::Scheduler::Stub> stub_;
  std::unique_ptr<InstantGateway> gateway_;
};

template <class Calls>
class CallLoad : public LoadBase {
 public:
  using LoadBase::LoadBase;
  ~CallLoad() override {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) delete static_cast<Call*>(tag);
  }

  void LoadWhile(const std::function<bool()>& more) override {
    while (more()) {
      if (window_.in() + Calls::kItems <= window_.size()) {
        Begin(0);
      } else if (calls_ > 0) {
        Complete(nullptr);
      } else {
        window_.AwaitBelow(window_.size() - Calls::kItems + 1);
      }
    }
    while (calls_ > 0) Complete(nullptr);
  }

  std::vector<double> RunOpen(double seconds, double rate_per_s) override {
    if (options_.in_flight == Calls::kItems) return RunOneByOne(seconds);
    std::vector<double> latencies;
    const double pause = Calls::kItems / rate_per_s, begun = Now();
    double due = begun;
    // Answers are taken by another thread: to wait for both an answer and the next time to send, a completion queue
    // counts in whole milliseconds, and all would leave late.
    std::atomic<bool> all_begun{false};
    std::thread taker([&] {
      while (!all_begun || calls_ > 0) CompleteSoon(latencies);
    });
    while (due - begun < seconds) {
      // A client that cannot keep up sends what was planned, and no more.
      for (; due <= Now() && due - begun < seconds; due += pause) Begin(due);
      if (const double left = due - Now(); left > 0) std::this_thread::sleep_for(std::chrono::duration<double>(left));
    }
    all_begun = true;
    taker.join();
    window_.AwaitBelow(1);
    return latencies;
  }

 private:
  struct Call {
    double due = 0;
    grpc::ClientContext context;
    typename Calls::Request request;
    typename Calls::Response response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<typename Calls::Response>> reader;
  };

  void Begin(double due) {
    Call* call = new Call();  // deleted when its answer comes out of the queue
    call->due = due;
    for (std::uint32_t i = 0; i < Calls::kItems; ++i) Fill(NextSms(), Calls::Next(call->request));
    Authorize(call->context);
    window_.Enter(Calls::kItems);
    ++calls_;
    call->reader = Calls::Begin(*stub_, &call->context, call->request, &queue_);
    call->reader->Finish(&call->response, &call->status, call);
  }
  // Each leaves when the one before was answered: there is no rate to keep.
  std::vector<double> RunOneByOne(double seconds) {
    std::vector<double> latencies;
    for (const double end = Now() + seconds; Now() < end; Complete(&latencies)) Begin(Now());
    window_.AwaitBelow(1);
    return latencies;
  }
  void Complete(std::vector<double>* latencies) {
    void* tag = nullptr;
    bool ok = false;
    if (queue_.Next(&tag, &ok)) Take(tag, latencies);
  }
  void CompleteSoon(std::vector<double>& latencies) {
    void* tag = nullptr;
    bool ok = false;
    const auto till = std::chrono::system_clock::now() + std::chrono::milliseconds(20);
    if (queue_.AsyncNext(&tag, &ok, till) == grpc::CompletionQueue::GOT_EVENT) Take(tag, &latencies);
  }
  void Take(void* tag, std::vector<double>* latencies) {
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    --calls_;
    std::string why = call->status.error_message();
    const std::uint32_t failed = call->status.ok() ? Calls::Failures(call->response, why) : Calls::kItems;
    if (failed > 0) Failed(failed, why);
    if (latencies != nullptr) latencies->push_back((Now() - call->due) * 1000);
    // Of a life the gateway tells the end.
    window_.Leave(options_.lives ? failed : Calls::kItems);
  }

  grpc::CompletionQueue queue_;
  std::atomic<std::uint32_t> calls_{0};
};

// One stream, written by the caller's thread and read by one of its own.
class StreamLoad : public LoadBase {
 public:
  explicit StreamLoad(const LoadOptions& options) : LoadBase(options) {
    Authorize(context_);
    stream_ = stub_->ScheduleStream(&context_);
    reader_ = std::thread([this] { Read(); });
  }
  ~StreamLoad() override {
    stream_->WritesDone();
    reader_.join();
    stream_->Finish();
  }

  void LoadWhile(const std::function<bool()>& more) override {
    while (more()) {
      // What fits goes out together.
      for (std::uint64_t room = window_.size() - window_.in(); room > 0; --room) Write(0, room > 1);
      window_.AwaitBelow(window_.size() - window_.size() / 4);
    }
  }

  std::vector<double> RunOpen(double seconds, double rate_per_s) override {
    const double pause = 1 / rate_per_s, begun = Now();
    double due = begun;
    while (due - begun < seconds) {
      for (; due <= Now() && due - begun < seconds; due += pause) Write(due, due + pause <= Now());
      const double left = due - Now();
      if (left > 0) std::this_thread::sleep_for(std::chrono::duration<double>(left));
    }
    window_.AwaitBelow(1);
    const std::lock_guard lock(mutex_);
    return std::exchange(latencies_, {});
  }

 private:
  void Write(double due, bool more_follow) {
    v1::ScheduleStreamRequest request;
    // The tag is the time itself: nothing has to be remembered.
    request.set_tag(static_cast<std::uint64_t>(due * 1e9));
    Fill(NextSms(), request.mutable_item());
    window_.Enter();
    grpc::WriteOptions write;
    if (more_follow) write.set_buffer_hint();
    if (!stream_->Write(request, write)) {
      Failed(1, "the stream is closed");
      window_.Leave();
    }
  }
  void Read() {
    v1::ScheduleStreamResponse response;
    while (stream_->Read(&response)) {
      const double now = Now();
      for (const auto& answer : response.answers()) {
        if (!answer.result().has_scheduled()) Failed(1, answer.result().error().ShortDebugString());
        if (answer.tag() == 0) continue;
        const std::lock_guard lock(mutex_);
        latencies_.push_back((now - static_cast<double>(answer.tag()) / 1e9) * 1000);
      }
      window_.Leave(static_cast<std::uint64_t>(response.answers_size()));
    }
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ScheduleStreamRequest, v1::ScheduleStreamResponse>> stream_;
  std::thread reader_;
  std::mutex mutex_;
  std::vector<double> latencies_;
};

}  // namespace

std::unique_ptr<Load> MakeLoad(const LoadOptions& options) {
  switch (options.door) {
    case Door::kBatch:
      return std::make_unique<CallLoad<BatchCalls>>(options);
    case Door::kStream:
      return std::make_unique<StreamLoad>(options);
    case Door::kRest:
      return MakeRestLoad(options);
    case Door::kUnary:
      break;
  }
  return std::make_unique<CallLoad<UnaryCalls>>(options);
}

}  // namespace smsflow::bench
