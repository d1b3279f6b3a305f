// A server stream that is written by a long job on one thread: Write() waits until the message is on its way.
//
// Write() and End() are called by the job's thread alone. The object lives until gRPC is done with it and the job has
// called End(); then it destroys itself.
//
// A client that does not read a message holds the job's thread for `unread_max` at most; then the stream is of no more
// use and ends with ABORTED, which the client sees when it reads on. What was on its way until then stays with gRPC.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "server/grpc/calls.h"
#include "server/grpc/status.h"

namespace smsflow::server {

template <class Message>
class BlockingWriter final : public WriteReactor<Message> {
 public:
  static constexpr std::chrono::milliseconds kUnreadMax{30'000};

  explicit BlockingWriter(WriteStream<Message>* stream, std::chrono::milliseconds unread_max = kUnreadMax)
      : WriteReactor<Message>(stream), unread_max_(unread_max) {}

  // False: nobody listens any more, and nothing more is written.
  bool Write(const Message& message) {
    std::unique_lock lock(mutex_);
    if (cancelled_ || unread_) return false;
    message_ = message;
    writing_ = true;
    this->StartWrite(&message_);
    unread_ = !written_.wait_for(lock, unread_max_, [this] { return !writing_; });
    return !cancelled_ && !unread_;
  }
  bool cancelled() {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }
  // The job must not touch it afterwards.
  void End(const grpc::Status& status) {
    this->Finish(unread_ ? ToGrpc(absl::AbortedError("the answers were not read for too long")) : status);
  }

 private:
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) cancelled_ = true;
    written_.notify_one();
  }
  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  void OnDone() override { delete this; }

  const std::chrono::milliseconds unread_max_;
  bool unread_ = false;  // of the job's thread
  std::mutex mutex_;
  std::condition_variable written_;
  Message message_;
  bool writing_ = false;
  bool cancelled_ = false;
};

}  // namespace smsflow::server
