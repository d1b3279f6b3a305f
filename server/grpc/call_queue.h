// Serves calls with one thread and one completion queue: that thread alone reads sockets, parses, runs handlers and
// sends most answers. gRPC's own callback threads are at least two, take the sockets from each other at every event and
// cost twice the CPU; while any of them is there, every other queue pays for it too. So no service here may use them.
//
// Order of use: Prepare(), the builder builds, Unary() and the like for each verb, Start(), … , Stop().
// Run() is thread-safe, and what says so; all else belongs to whoever owns the queue.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/async_stream.h>

#include <any>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "server/auth.h"
#include "server/grpc/calls.h"
#include "server/grpc/corks.h"
#include "server/grpc/received.h"
#include "server/grpc/status.h"

namespace smsflow::server {

// What the queue gives back when an operation is over.
class CallTag {
 public:
  virtual void Proceed(bool ok) = 0;  // may destroy it

 protected:
  ~CallTag() = default;
};

struct UnaryOptions {
  // Calls that may come at once before gRPC must keep them in a list of its own.
  int spare = 1;
  // Costs one more operation per call; without it IsCancelled() and OnCancel() say nothing.
  bool notice_cancel = true;
};

// How many there are; of a service that does not exist none.
int VerbsOf(const char* service);

// A service's contract as gRPC serves it: every verb as a stream, for gRPC reads the message of any other verb before
// it shows the call to anybody. So the credential is looked at first, and what a stranger sends is never read.
template <class Contract>
class Wire final : public Contract::Service {
 public:
  // Must outlive it; nullptr: a service that is open to all.
  explicit Wire(const Authenticator* authenticator) : authenticator_(authenticator) {
    for (int verb = 0; verb < VerbsOf(Contract::service_full_name()); ++verb) {
      this->MarkMethodStreamed(verb, nullptr);
      this->MarkMethodAsync(verb);
    }
  }
  const Authenticator* authenticator() const { return authenticator_; }
  void Ask(int verb, grpc::ServerContext* context, grpc::internal::ServerAsyncStreamingInterface* call,
           grpc::ServerCompletionQueue* queue, void* tag) {
    this->RequestAsyncBidiStreaming(verb, context, call, queue, queue, tag);
  }

 private:
  const Authenticator* const authenticator_;
};

// Which of its service's methods it is, as gRPC counts them. A verb that is none, or takes or gives something else, is
// a mistake of the caller and ends the process.
int NumberOf(const char* service, const char* verb, const google::protobuf::Descriptor& takes,
             const google::protobuf::Descriptor& gives);

// The queue and its thread; see above.
class CallQueue {
 public:
  using Work = absl::AnyInvocable<void()>;

  CallQueue() = default;
  ~CallQueue() { Stop(); }
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;

  // Before the server is built.
  void Prepare(grpc::ServerBuilder& builder) { queue_ = builder.AddCompletionQueue(); }

  // `verb` is the name of the method, whose messages must be those of `handle`. `wire` and `service` must outlive the
  // queue's Stop().
  template <class Contract, class Request, class Response, class Service>
  void Unary(Wire<Contract>& wire, const char* verb, Service& service,
             void (Service::*handle)(UnaryCall*, const Request*, Response*), const UnaryOptions& options = {});
  template <class Contract, class Request, class Out, class Service>
  void Writes(Wire<Contract>& wire, const char* verb, Service& service,
              void (Service::*handle)(WriteStream<Out>*, const Request*));
  template <class Contract, class In, class Out, class Service>
  void Bidi(Wire<Contract>& wire, const char* verb, Service& service, void (Service::*handle)(BidiStream<In, Out>*));
  // What a verb does, by "package.Service/Verb": for doors that are not gRPC, and ask on this queue's thread. Null:
  // there is none. Good as long as the queue, and complete once the server was built.
  using UnaryHandle = std::function<void(UnaryCall*, const google::protobuf::Message*, google::protobuf::Message*)>;
  const UnaryHandle* FindUnary(const std::string& name) const {
    const auto found = unary_.find(name);
    return found == unary_.end() ? nullptr : &found->second;
  }
  template <class Request, class Out>
  using WritesHandle = std::function<void(WriteStream<Out>*, const Request*)>;
  template <class Request, class Out>
  const WritesHandle<Request, Out>* FindWrites(const std::string& name) const {
    const auto found = writes_.find(name);
    return found == writes_.end() ? nullptr : std::any_cast<WritesHandle<Request, Out>>(&found->second);
  }
  // Verbs that no service has: to those who are known they are UNIMPLEMENTED.
  void Others(grpc::AsyncGenericService& others, const Authenticator& authenticator);

  void Start();
  // After the server was shut down: waits until every call is finished, also those whose clients are gone, and ends the
  // thread. What is run later is run by its caller, so that nothing is lost.
  void Stop();
  // The same, but false after this time: somebody still owes an answer, and calls are served on until Stop().
  [[nodiscard]] bool StopWithin(std::int64_t within_ms);

  // After the server's shutdown began: waits until no call is left of all that were handed over here. False after this
  // time.
  [[nodiscard]] bool AwaitEmpty(std::int64_t within_ms);

  // Each connection that comes; what is not told of is served as well, only dearer.
  void Came(int connection) { corks_.Add(connection); }

  // Does `work` on the queue's thread, soon and in order. What comes while the thread is busy costs no waking.
  void Run(Work work);

  // How often its thread came back from gRPC, and how long it has worked. Who works on and does not come back reads
  // what some connection sends. Not after Stop().
  struct Pace {
    std::uint64_t turns = 0;
    std::int64_t worked_us = 0;
  };
  Pace pace() const;
  // Calls that have come to it and are not over, and those that it waits for.
  std::size_t seats() const { return seats_; }
  // As of Corks; these two are thread-safe.
  bool IsSpeaking(const std::string& peer) const { return corks_.IsSpeaking(peer); }
  bool EndConnection(const std::string& peer) const { return corks_.End(peer); }

  // A call is about to be answered: where others will be too, on the same connection, they leave together.
  void Answers(const CallContext& call);

  // A call has one from being asked for until it is destroyed. gRPC ends the process when an operation begins on a
  // queue that was shut down, and its server is down when its connections are gone: not when its calls are finished.
  class Seat {
   public:
    explicit Seat(CallQueue& queue) : queue_(queue) { ++queue_.seats_; }
    ~Seat() {
      if (--queue_.seats_ == 0) queue_.Emptied();
    }
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

   private:
    CallQueue& queue_;
  };

 private:
  class Wake final : public CallTag {
   public:
    explicit Wake(CallQueue& queue) : queue_(queue) {}
    void Proceed(bool ok) override;

   private:
    CallQueue& queue_;
  };

  // Keeps what the calls of a verb share for as long as the queue is there.
  template <class Served, class Contract, class Handle>
  const typename Served::Verb& Keep(Wire<Contract>& wire, int number, Handle handle, bool notice_cancel);
  void Loop();
  void DoWork();
  void EndOnceIdle();
  void EndIfIdle();
  void Emptied();

  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::vector<std::shared_ptr<void>> verbs_;
  std::map<std::string, UnaryHandle> unary_;
  std::map<std::string, std::any> writes_;
  std::thread thread_;
  clockid_t clock_ = CLOCK_THREAD_CPUTIME_ID;  // of the thread
  std::atomic<std::uint64_t> turns_{0};
  std::atomic<std::size_t> seats_{0};  // changed by the queue's thread, once it runs
  bool ending_ = false;                // of the queue's thread: nothing new is waited for

  std::mutex mutex_;
  std::vector<Work> work_;
  std::condition_variable ended_;
  bool running_ = false;
  bool empty_ = false;  // nobody has a seat, and nobody will
  bool woken_ = false;  // the thread will look at `work_` without being called
  grpc::Alarm alarm_;
  Wake wake_{*this};
  std::vector<Work> doing_;  // of the queue's thread
  Corks corks_;
};

namespace calls {

// An operation of a call; ends in a method of it.
template <class Call, void (Call::*kThen)(bool)>
class Operation final : public CallTag {
 public:
  explicit Operation(Call* call) : call_(call) {}
  void Proceed(bool ok) override { (call_->*kThen)(ok); }
  void* tag() { return static_cast<CallTag*>(this); }

 private:
  Call* const call_;
};

// What the calls of a verb share.
template <class... Handled>
struct Verb {
  CallQueue& queue;
  const Authenticator* authenticator;
  std::function<void(grpc::ServerContext*, grpc::internal::ServerAsyncStreamingInterface*, void*)> ask;
  std::function<void(Handled...)> handle;
  bool notice_cancel = true;
};

// UNAUTHENTICATED, from the metadata of a call that came. OK where there is no authenticator.
absl::Status Admit(const Authenticator* authenticator, const grpc::ServerContext& context);
absl::Status NoMessage();

// A call from waiting for it to its end; destroys itself.
template <class Request, class Response>
class ServedUnary final : public UnaryCall {
 public:
  using Verb = calls::Verb<UnaryCall*, const Request*, Response*>;

  explicit ServedUnary(const Verb& verb) : verb_(verb), seat_(verb.queue), parts_(verb.notice_cancel ? 2 : 1) {
    if (verb.notice_cancel) wire_.AsyncNotifyWhenDone(ended_.tag());
    verb.ask(&wire_, &stream_, came_.tag());
  }
  void Finish(const grpc::Status& status) override {
    verb_.queue.Answers(*this);
    stream_.Finish(response_, status, finished_.tag());
  }

 private:
  void Came(bool ok) {
    if (!ok) return delete this;  // the server stops
    new ServedUnary(verb_);
    if (absl::Status status = Admit(verb_.authenticator, wire_); !status.ok()) return Finish(ToGrpc(status));
    stream_.Read(&received_, read_.tag());
  }
  void ReadDone(bool ok) {
    if (!ok || received_.Refused())
      return Finish(ok ? ToGrpc(received_.why, received_.violations) : ToGrpc(NoMessage()));
    verb_.handle(this, &request_, &response_);
  }
  void Ended(bool) {
    if (wire_.IsCancelled()) {
      cancelled_.store(true, std::memory_order_release);
      if (reactor_ != nullptr) reactor_->OnCancel();
    }
    OneOver();
  }
  void Finished(bool) { OneOver(); }
  void OneOver() {
    if (--parts_ != 0) return;
    if (reactor_ != nullptr) reactor_->OnDone();
    delete this;
  }

  const Verb& verb_;
  const CallQueue::Seat seat_;
  grpc::ServerAsyncReader<Response, Received<Request>> stream_{&wire_};
  Request request_;
  const WipedAfter<Request> wiped_{request_};
  Received<Request> received_{&request_};
  Response response_;
  int parts_;  // that the queue still gives back, once it was handled
  Operation<ServedUnary, &ServedUnary::Came> came_{this};
  Operation<ServedUnary, &ServedUnary::ReadDone> read_{this};
  Operation<ServedUnary, &ServedUnary::Ended> ended_{this};
  Operation<ServedUnary, &ServedUnary::Finished> finished_{this};
};

// What both kinds of streams share: Stream is the call as its handler sees it.
template <class Served, class Stream, class In, class Out>
class ServedStream : public Stream {
 public:
  void Finish(const grpc::Status& status) override { stream_.Finish(status, finished_.tag()); }

 protected:
  ServedStream() { this->wire_.AsyncNotifyWhenDone(ended_.tag()); }
  ~ServedStream() = default;

  void Begun() { parts_.fetch_add(1, std::memory_order_relaxed); }
  void OneOver() {
    if (parts_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (this->reactor_ != nullptr) this->reactor_->OnDone();
    delete static_cast<Served*>(this);
  }
  template <class Message>
  void StartWrite(const Message& message) {
    Begun();
    stream_.Write(message, written_.tag());
  }

  grpc::ServerAsyncReaderWriter<Out, Received<In>> stream_{&this->wire_};

 private:
  void Ended(bool) {
    if (this->wire_.IsCancelled()) {
      this->cancelled_.store(true, std::memory_order_release);
      if (this->reactor_ != nullptr) this->reactor_->OnCancel();
    }
    OneOver();
  }
  void Written(bool ok) {
    if (this->reactor_ != nullptr) this->reactor_->OnWriteDone(ok);
    OneOver();
  }
  void Finished(bool) { OneOver(); }

  std::atomic<int> parts_{2};  // that the queue still gives back: its end, its Finish(), and what was begun
  Operation<ServedStream, &ServedStream::Ended> ended_{this};
  Operation<ServedStream, &ServedStream::Written> written_{this};
  Operation<ServedStream, &ServedStream::Finished> finished_{this};
};

// The same for a stream of answers.
template <class Request, class Out>
class ServedWrites final : public ServedStream<ServedWrites<Request, Out>, WriteStream<Out>, Request, Out> {
 public:
  using Verb = calls::Verb<WriteStream<Out>*, const Request*>;

  explicit ServedWrites(const Verb& verb) : verb_(verb), seat_(verb.queue) {
    verb.ask(&this->wire_, &this->stream_, came_.tag());
  }
  void Write(const Out* message) override { this->StartWrite(*message); }

 private:
  void Came(bool ok) {
    if (!ok) return delete this;
    new ServedWrites(verb_);
    if (absl::Status status = Admit(verb_.authenticator, this->wire_); !status.ok()) {
      return this->Finish(ToGrpc(status));
    }
    this->stream_.Read(&received_, read_.tag());
  }
  void ReadDone(bool ok) {
    if (!ok || received_.Refused())
      return this->Finish(ok ? ToGrpc(received_.why, received_.violations) : ToGrpc(NoMessage()));
    verb_.handle(this, &request_);
  }

  const Verb& verb_;
  const CallQueue::Seat seat_;
  Request request_;
  Received<Request> received_{&request_};
  Operation<ServedWrites, &ServedWrites::Came> came_{this};
  Operation<ServedWrites, &ServedWrites::ReadDone> read_{this};
};

// The same for streams both ways.
template <class In, class Out>
class ServedBidi final : public ServedStream<ServedBidi<In, Out>, BidiStream<In, Out>, In, Out> {
 public:
  using Verb = calls::Verb<BidiStream<In, Out>*>;

  explicit ServedBidi(const Verb& verb) : verb_(verb), seat_(verb.queue) {
    verb.ask(&this->wire_, &this->stream_, came_.tag());
  }
  void Write(const Out* message) override { this->StartWrite(*message); }
  void Read(In* message) override {
    this->Begun();
    received_.into = message;
    this->stream_.Read(&received_, read_.tag());
  }

 private:
  void Came(bool ok) {
    if (!ok) return delete this;
    new ServedBidi(verb_);
    if (absl::Status status = Admit(verb_.authenticator, this->wire_); !status.ok()) {
      return this->Finish(ToGrpc(status));
    }
    verb_.handle(this);
  }
  void ReadDone(bool ok) {
    if (ok && received_.Refused()) {
      if (this->reactor_ != nullptr) this->reactor_->OnReadRefused(received_.why);
    } else if (this->reactor_ != nullptr) {
      this->reactor_->OnReadDone(ok);
    }
    this->OneOver();
  }

  const Verb& verb_;
  const CallQueue::Seat seat_;
  Received<In> received_;
  Operation<ServedBidi, &ServedBidi::Came> came_{this};
  Operation<ServedBidi, &ServedBidi::ReadDone> read_{this};
};

}  // namespace calls

template <class Served, class Contract, class Handle>
const typename Served::Verb& CallQueue::Keep(Wire<Contract>& wire, int number, Handle handle, bool notice_cancel) {
  using Verb = typename Served::Verb;
  auto ask = [&wire, number, queue = queue_.get()](auto* context, auto* call, void* tag) {
    wire.Ask(number, context, call, queue, tag);
  };
  auto kept = std::make_shared<Verb>(Verb{*this, wire.authenticator(), ask, std::move(handle), notice_cancel});
  verbs_.push_back(kept);
  return *kept;
}

template <class Contract, class Request, class Response, class Service>
void CallQueue::Unary(Wire<Contract>& wire, const char* verb, Service& service,
                      void (Service::*handle)(UnaryCall*, const Request*, Response*), const UnaryOptions& options) {
  const int number = NumberOf(Contract::service_full_name(), verb, *Request::descriptor(), *Response::descriptor());
  unary_[std::string(Contract::service_full_name()) + "/" + verb] = [&service, handle](auto* call, auto* asked,
                                                                                       auto* given) {
    (service.*handle)(call, static_cast<const Request*>(asked), static_cast<Response*>(given));
  };
  using Served = calls::ServedUnary<Request, Response>;
  const auto& kept = Keep<Served>(
      wire, number,
      [&service, handle](auto* call, auto* request, auto* response) { (service.*handle)(call, request, response); },
      options.notice_cancel);
  for (int i = 0; i < options.spare; ++i) new Served(kept);
}

template <class Contract, class Request, class Out, class Service>
void CallQueue::Writes(Wire<Contract>& wire, const char* verb, Service& service,
                       void (Service::*handle)(WriteStream<Out>*, const Request*)) {
  const int number = NumberOf(Contract::service_full_name(), verb, *Request::descriptor(), *Out::descriptor());
  writes_[std::string(Contract::service_full_name()) + "/" + verb] = WritesHandle<Request, Out>(
      [&service, handle](auto* stream, auto* request) { (service.*handle)(stream, request); });
  using Served = calls::ServedWrites<Request, Out>;
  new Served(Keep<Served>(
      wire, number, [&service, handle](auto* stream, auto* request) { (service.*handle)(stream, request); }, true));
}

template <class Contract, class In, class Out, class Service>
void CallQueue::Bidi(Wire<Contract>& wire, const char* verb, Service& service,
                     void (Service::*handle)(BidiStream<In, Out>*)) {
  const int number = NumberOf(Contract::service_full_name(), verb, *In::descriptor(), *Out::descriptor());
  using Served = calls::ServedBidi<In, Out>;
  new Served(Keep<Served>(
      wire, number, [&service, handle](auto* stream) { (service.*handle)(stream); }, true));
}

}  // namespace smsflow::server
