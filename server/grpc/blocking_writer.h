// A server stream that is written by a long job on one thread: Write() waits until the message is on its way.
//
// Write() and End() are called by the job's thread alone. The object lives until gRPC is done with it and the job has
// called End(); then it destroys itself.
#pragma once

#include <condition_variable>
#include <mutex>

#include "server/grpc/calls.h"

namespace smsflow::server {

template <class Message>
class BlockingWriter final : public WriteReactor<Message> {
 public:
  explicit BlockingWriter(WriteStream<Message>* stream) : WriteReactor<Message>(stream) {}

  // False: nobody listens any more.
  bool Write(const Message& message) {
    std::unique_lock lock(mutex_);
    if (cancelled_) return false;
    message_ = message;
    writing_ = true;
    this->StartWrite(&message_);
    written_.wait(lock, [this] { return !writing_; });
    return !cancelled_;
  }
  bool cancelled() {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }
  // The job must not touch it afterwards.
  void End(const grpc::Status& status) { this->Finish(status); }

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

  std::mutex mutex_;
  std::condition_variable written_;
  Message message_;
  bool writing_ = false;
  bool cancelled_ = false;
};

}  // namespace smsflow::server
