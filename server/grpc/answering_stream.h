// The life of a stream that hands what it reads to the engine and writes its answers: when it may end, and who
// destroys it. What is read and what is written is the derived class's.
//
// An answer of the engine comes to the object whenever it comes, so the stream goes on until the last one came: it is
// asked to end, reads nothing more, and finishes when nothing is owed (Owes()) and no write is on its way.
// Its calls come from any thread; the object destroys itself when gRPC is done with it.
#pragma once

#include <mutex>

#include "absl/status/status.h"
#include "server/grpc/calls.h"
#include "server/grpc/open_streams.h"
#include "server/grpc/status.h"

namespace smsflow::server {

template <class In, class Out>
class AnsweringStream : public BidiReactor<In, Out>, public OpenStreams::Stream {
 public:
  // `streams` outlives the stream.
  AnsweringStream(BidiStream<In, Out>* stream, OpenStreams& streams)
      : BidiReactor<In, Out>(stream), streams_(streams) {}

  // Reads the first request, or ends at once because the server is stopping.
  void Begin() {
    if (!streams_.Add(this)) return End(OpenStreams::Stopping());
    this->StartRead(&request_);
  }

  // The first reason counts.
  void End(const absl::Status& why) final {
    const std::lock_guard lock(mutex_);
    EndLocked(why);
  }

 protected:
  // REQUIRES mutex_ held: something of the engine is still to come to this object, or is to be told to it.
  virtual bool Owes() const = 0;
  // Nothing comes any more; the object is about to go.
  virtual void OnLast() {}

  // REQUIRES mutex_ held.
  void EndLocked(const absl::Status& why) {
    ending_ = true;
    if (status_.ok()) status_ = why;
    FinishIfDone();
  }
  // REQUIRES mutex_ held. To be called whenever something that was owed came, or a flush is over.
  void FinishIfDone() {
    if (!ending_ || finished_ || flushing_ || Owes()) return;
    finished_ = true;
    this->Finish(ToGrpc(status_));
  }

  In request_;    // of the one read on its way
  Out response_;  // of the one write on its way

  std::mutex mutex_;
  bool flushing_ = false;  // a flush is queued, or a write is on its way
  bool broken_ = false;    // nobody reads answers any more
  bool ending_ = false;    // nothing more is taken
  bool finished_ = false;

 private:
  void OnReadRefused(const absl::Status& why) final { End(why); }
  void OnCancel() final {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    EndLocked(absl::CancelledError("the stream was cancelled"));
  }
  void OnDone() final {
    streams_.Remove(this);
    // Whoever finished it may still hold the lock.
    { const std::lock_guard lock(mutex_); }
    OnLast();
    delete this;
  }

  OpenStreams& streams_;
  absl::Status status_;
};

}  // namespace smsflow::server
