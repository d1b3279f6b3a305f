#include "tools/bench/echo_server.h"

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <thread>
#include <utility>

#include "crypto/random.h"
#include "ids/ids.h"
#include "smsflow/v1/gateway.grpc.pb.h"
#include "smsflow/v1/scheduler.grpc.pb.h"
#include "tools/bench/sms_source.h"

namespace smsflow::bench {
namespace {

constexpr int kMessageBytesMax = 64 << 20;
constexpr std::size_t kLeasesPerMessage = 256;
constexpr std::int64_t kSomeTimeMs = 1'800'000'000'000;

class Tag {
 public:
  virtual ~Tag() = default;
  virtual void Proceed(bool ok) = 0;  // may delete itself
};

// One operation of a stream.
class Op : public Tag {
 public:
  explicit Op(std::function<void(bool)> then) : then_(std::move(then)) {}
  void Proceed(bool ok) override { then_(ok); }

 private:
  const std::function<void(bool)> then_;
};

class AttachEcho;

// What all calls share; touched by the one thread only.
struct Hub {
  v1::Scheduler::AsyncService scheduler;
  v1::Gateway::AsyncService gateway;
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  bool hand_over = false;
  AttachEcho* attached = nullptr;
  std::uint64_t number = 0;
};

void Answer(Hub& hub, v1::ScheduleResponse* response, InstanceId* id) {
  *id = InstanceId::Make(kSomeTimeMs, ShardId{static_cast<std::uint16_t>(hub.number % 64)}, ++hub.number);
  response->set_id(id->bytes.data(), id->bytes.size());
  response->set_state(v1::PENDING);
  response->set_due_ms(kSomeTimeMs);
  response->set_deadline_ms(kSomeTimeMs);
}

// A stream that is read and written at once: reads as fast as they come, one write at a time, with all that waits.
template <class In, class Out>
class StreamEcho {
 public:
  explicit StreamEcho(Hub& hub) : hub_(hub), stream_(&context_) {}
  virtual ~StreamEcho() = default;

 protected:
  virtual void Take(const In& in) = 0;
  virtual void Opened() = 0;          // the next one may come
  virtual bool Render(Out* out) = 0;  // false: nothing waits

  void Accepted(bool ok) {
    if (!ok) return delete this;
    Opened();
    Read();
  }
  void Read() {
    ++pending_;
    stream_.Read(&in_, &read_);
  }
  void Pump() {
    if (writing_ || closed_) return;
    out_.Clear();
    if (!Render(&out_)) return;
    writing_ = true;
    ++pending_;
    stream_.Write(out_, &write_);
  }

  Hub& hub_;
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<Out, In> stream_;
  Op accept_{[this](bool ok) { Accepted(ok); }};

 private:
  void Done() {
    --pending_;
    if (closed_ && !finishing_ && pending_ == 0) {
      finishing_ = true;
      stream_.Finish(grpc::Status::OK, &finish_);
    }
  }

  In in_;
  Out out_;
  int pending_ = 0;
  bool writing_ = false, closed_ = false, finishing_ = false;
  Op read_{[this](bool ok) {
    if (ok) {
      Take(in_);
      Read();
      Pump();
    } else {
      closed_ = true;
    }
    Done();
  }};
  Op write_{[this](bool ok) {
    writing_ = false;
    if (!ok) closed_ = true;
    Pump();
    Done();
  }};
  Op finish_{[this](bool) { delete this; }};
};

class AttachEcho : public StreamEcho<v1::GatewayMessage, v1::EngineMessage> {
 public:
  explicit AttachEcho(Hub& hub) : StreamEcho(hub) {
    hub_.gateway.RequestAttach(&context_, &stream_, hub.queue.get(), hub.queue.get(), &accept_);
  }
  ~AttachEcho() override {
    if (hub_.attached == this) hub_.attached = nullptr;
  }
  void HandOver(const InstanceId& id, const v1::ScheduleRequest& request) {
    v1::Lease lease;
    lease.set_attempt_id(AttemptId{id, 1}.ToString());
    lease.set_tenant(std::string(kTenant));
    lease.set_key(request.key());
    lease.set_deadline_ms(kSomeTimeMs);
    lease.set_payload(request.payload());
    lease.mutable_mark()->set_shard(id.shard().value);
    lease.mutable_mark()->set_epoch(1);
    lease.mutable_mark()->set_sequence(hub_.number);
    leases_.push_back(std::move(lease));
  }
  void Flush() { Pump(); }

 private:
  void Opened() override { new AttachEcho(hub_); }
  void Take(const v1::GatewayMessage& message) override {
    if (message.has_hello()) {
      welcome_ = true;
      hub_.attached = this;
    }
    for (const auto& report : message.reports().reports()) {
      auto* answer = answers_.add_answers();
      answer->set_tag(report.tag());
      answer->set_attempt_id(report.attempt_id());
      answer->set_outcome(v1::ReportAnswer::APPLIED);
    }
  }
  bool Render(v1::EngineMessage* out) override {
    if (std::exchange(welcome_, false)) {
      out->mutable_welcome()->set_shards(64);
      return true;
    }
    if (answers_.answers_size() > 0) {
      out->mutable_answers()->Swap(&answers_);
      return true;
    }
    for (std::size_t i = 0; i < kLeasesPerMessage && !leases_.empty(); ++i, leases_.pop_front())
      out->mutable_leases()->add_leases()->Swap(&leases_.front());
    return out->has_leases();
  }

  bool welcome_ = false;
  v1::ReportAnswers answers_;
  std::deque<v1::Lease> leases_;
};

class ScheduleStreamEcho : public StreamEcho<v1::ScheduleStreamRequest, v1::ScheduleStreamResponse> {
 public:
  explicit ScheduleStreamEcho(Hub& hub) : StreamEcho(hub) {
    hub_.scheduler.RequestScheduleStream(&context_, &stream_, hub.queue.get(), hub.queue.get(), &accept_);
  }

 private:
  void Opened() override { new ScheduleStreamEcho(hub_); }
  void Take(const v1::ScheduleStreamRequest& request) override {
    auto* answer = waiting_.add_answers();
    answer->set_tag(request.tag());
    InstanceId id;
    Answer(hub_, answer->mutable_result()->mutable_scheduled(), &id);
  }
  bool Render(v1::ScheduleStreamResponse* out) override {
    if (waiting_.answers_size() == 0) return false;
    out->Swap(&waiting_);
    return true;
  }
  v1::ScheduleStreamResponse waiting_;
};

template <class Request, class Response>
class UnaryEcho : public Tag {
 public:
  explicit UnaryEcho(Hub& hub) : hub_(hub), responder_(&context_) { Await(); }

  void Proceed(bool ok) override {
    if (!ok || answered_) return delete this;
    new UnaryEcho(hub_);
    AnswerAll();
    answered_ = true;
    responder_.Finish(response_, grpc::Status::OK, this);
    if (hub_.attached != nullptr) hub_.attached->Flush();
  }

 private:
  void Await() {
    auto* queue = hub_.queue.get();
    if constexpr (std::is_same_v<Request, v1::ScheduleRequest>) {
      hub_.scheduler.RequestSchedule(&context_, &request_, &responder_, queue, queue, this);
    } else {
      hub_.scheduler.RequestScheduleBatch(&context_, &request_, &responder_, queue, queue, this);
    }
  }
  void AnswerAll() {
    if constexpr (std::is_same_v<Request, v1::ScheduleRequest>) {
      AnswerOne(request_, &response_);
    } else {
      for (const auto& item : request_.items()) AnswerOne(item, response_.add_results()->mutable_scheduled());
    }
  }
  void AnswerOne(const v1::ScheduleRequest& request, v1::ScheduleResponse* response) {
    InstanceId id;
    Answer(hub_, response, &id);
    if (hub_.hand_over && hub_.attached != nullptr) hub_.attached->HandOver(id, request);
  }

  Hub& hub_;
  grpc::ServerContext context_;
  grpc::ServerAsyncResponseWriter<Response> responder_;
  Request request_;
  Response response_;
  bool answered_ = false;
};

class EchoServerImpl : public EchoServer {
 public:
  explicit EchoServerImpl(bool hand_over) {
    hub_.hand_over = hand_over;
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(kMessageBytesMax);
    builder.RegisterService(&hub_.scheduler);
    builder.RegisterService(&hub_.gateway);
    hub_.queue = builder.AddCompletionQueue();
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  bool ok() const { return server_ != nullptr; }
  void Serve() {
    new UnaryEcho<v1::ScheduleRequest, v1::ScheduleResponse>(hub_);
    new UnaryEcho<v1::ScheduleBatchRequest, v1::ScheduleBatchResponse>(hub_);
    new ScheduleStreamEcho(hub_);
    new AttachEcho(hub_);
    thread_ = std::thread([this] {
      void* tag = nullptr;
      bool ok = false;
      while (hub_.queue->Next(&tag, &ok)) static_cast<Tag*>(tag)->Proceed(ok);
    });
  }
  ~EchoServerImpl() override {
    server_->Shutdown(std::chrono::system_clock::now());
    hub_.queue->Shutdown();
    if (thread_.joinable()) thread_.join();
  }
  const std::string& address() const override { return address_; }

 private:
  Hub hub_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<EchoServer> EchoServer::Start(bool hand_over) {
  auto server = std::make_unique<EchoServerImpl>(hand_over);
  if (!server->ok()) return nullptr;
  server->Serve();
  return server;
}

}  // namespace smsflow::bench
