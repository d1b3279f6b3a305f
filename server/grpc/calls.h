// The calls of clients, as handlers see them, whichever door they came through. A handler gets the call, may start
// operations on it, and ends it with one Finish(), then or later. What comes of the operations is told to the call's
// reactor, if it has one.
//
// Finish(), Read() and Write() are safe from any thread; at most one Read() and one Write() are on their way, and none
// begins after Finish(). Reactors are told on the thread of the CallQueue that serves the call: they must not block.
// Messages belong to their owner again when the end of the operation is told. A call must not be touched after its
// Finish(), but by its reactor until OnDone().
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/auth.h"

namespace smsflow::server {

class CallContext {
 public:
  CallContext(const CallContext&) = delete;
  CallContext& operator=(const CallContext&) = delete;

  const std::multimap<grpc::string_ref, grpc::string_ref>& client_metadata() const { return wire_.client_metadata(); }
  // Who asks, with this role: of a call that came through another door, which knows by itself. Null: the metadata tell.
  using Asker = std::function<absl::StatusOr<Caller>(Role)>;
  const Asker* asker() const { return asker_.get(); }
  // The other end of its connection, as gRPC names it.
  std::string peer() const { return wire_.peer(); }
  // Nobody waits for the answer any more: the client gave up or is gone, or its deadline has passed. Always false for
  // a verb that is served without notice of it.
  bool IsCancelled() const { return cancelled_.load(std::memory_order_acquire); }

 protected:
  CallContext() = default;
  ~CallContext() = default;

  grpc::ServerContext wire_;
  std::atomic<bool> cancelled_{false};
  std::unique_ptr<Asker> asker_;
};

class Reactor {
 public:
  // The call is over, and this is the last that is told of it. It may be destroyed.
  virtual void OnDone() {}
  // At most once, and perhaps after Finish().
  virtual void OnCancel() {}

 protected:
  ~Reactor() = default;
};

// One answer. The request and the response are good until OnDone().
class UnaryCall : public CallContext {
 public:
  virtual void Finish(const grpc::Status& status) = 0;
  void Tell(Reactor* reactor) { reactor_ = reactor; }

 protected:
  ~UnaryCall() = default;
  Reactor* reactor_ = nullptr;
};

// Of a call that is an object of its own; it destroys itself when the call is over.
class UnaryReactor : public Reactor {
 public:
  // While the call is being handled.
  explicit UnaryReactor(UnaryCall* call) : call_(call) { call->Tell(this); }
  virtual ~UnaryReactor() = default;
  void Finish(const grpc::Status& status) { call_->Finish(status); }
  void OnDone() override { delete this; }

 private:
  UnaryCall* const call_;
};

// What of a stream of answers does not depend on their type.
class WriteReactorBase : public Reactor {
 public:
  virtual void OnWriteDone(bool /*ok*/) {}

 protected:
  ~WriteReactorBase() = default;
};

// Many answers.
template <class Out>
class WriteStream : public CallContext {
 public:
  virtual void Write(const Out* message) = 0;
  virtual void Finish(const grpc::Status& status) = 0;
  void Tell(WriteReactorBase* reactor) { reactor_ = reactor; }

 protected:
  ~WriteStream() = default;
  WriteReactorBase* reactor_ = nullptr;
};

// Writes a stream of answers. Unlike a UnaryReactor it must see to its own end.
template <class Out>
class WriteReactor : public WriteReactorBase {
 public:
  explicit WriteReactor(WriteStream<Out>* stream) : stream_(stream) { stream->Tell(this); }
  virtual ~WriteReactor() = default;

 protected:
  void StartWrite(const Out* message) { stream_->Write(message); }
  void Finish(const grpc::Status& status) { stream_->Finish(status); }

 private:
  WriteStream<Out>* const stream_;
};

// What of streams both ways does not depend on their types.
class BidiReactorBase : public WriteReactorBase {
 public:
  virtual void OnReadDone(bool ok) = 0;
  // Instead: what came breaks this rule, and was not taken apart.
  virtual void OnReadRefused(const absl::Status& why) = 0;

 protected:
  ~BidiReactorBase() = default;
};

// Many requests and many answers.
template <class In, class Out>
class BidiStream : public CallContext {
 public:
  virtual void Read(In* message) = 0;
  virtual void Write(const Out* message) = 0;
  virtual void Finish(const grpc::Status& status) = 0;
  void Tell(BidiReactorBase* reactor) { reactor_ = reactor; }

 protected:
  ~BidiStream() = default;
  BidiReactorBase* reactor_ = nullptr;
};

// Reads a stream of requests and writes one of answers. It must see to its own end.
template <class In, class Out>
class BidiReactor : public BidiReactorBase {
 public:
  explicit BidiReactor(BidiStream<In, Out>* stream) : stream_(stream) { stream->Tell(this); }
  virtual ~BidiReactor() = default;

 protected:
  void StartRead(In* message) { stream_->Read(message); }
  void StartWrite(const Out* message) { stream_->Write(message); }
  void Finish(const grpc::Status& status) { stream_->Finish(status); }

 private:
  BidiStream<In, Out>* const stream_;
};

}  // namespace smsflow::server
