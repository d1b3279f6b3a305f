// Calls that came over HTTP, for the handlers of gRPC: to them they are calls like any other. What is told to their
// reactors is told on the thread of the queue, as gRPC does.
#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "server/grpc/call_queue.h"
#include "server/grpc/workers.h"
#include "server/rest/http.h"
#include "smsflow/v1/scheduler.pb.h"

namespace smsflow::server::rest {

using Asker = CallContext::Asker;

// Makes the call and answers with what comes of it; destroys itself.
class ApiCall final : public UnaryCall {
 public:
  struct Asked {
    const CallQueue::UnaryHandle* handle = nullptr;  // good for ever
    std::unique_ptr<google::protobuf::Message> request, response;
    Asker asker;
  };
  static void Begin(CallQueue& queue, Workers& workers, Asked asked, Reply reply);

  void Finish(const grpc::Status& status) override;

 private:
  ApiCall(CallQueue& queue, Workers& workers, Asked asked, Reply reply);
  void Answer(const grpc::Status& status);

  CallQueue& queue_;
  Workers& workers_;
  Asked asked_;
  Reply reply_;
};

// What lies between a watch and the connection that reads it: one piece at most.
class EventPipe;
// The pipes that are open, for whoever makes them beat.
class EventPipes {
 public:
  void Add(const std::shared_ptr<EventPipe>& pipe);
  // A sign of life on each that is silent and wanted to be heard.
  void Beat();

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<EventPipe>> pipes_;
};

// A watch whose answers become server-sent events; destroys itself.
class ApiWatch final : public WriteStream<v1::WatchResponse> {
 public:
  using Handle = std::function<void(WriteStream<v1::WatchResponse>*, const v1::WatchRequest*)>;

  // Answers with the stream once the watch stands, or with what is wrong.
  static void Begin(CallQueue& queue, EventPipes& pipes, const Handle& handle, v1::WatchRequest request, Asker asker,
                    Reply reply);

  void Write(const v1::WatchResponse* message) override;
  void Finish(const grpc::Status& status) override;

 private:
  friend class EventPipe;
  ApiWatch(CallQueue& queue, EventPipes& pipes, v1::WatchRequest request, Asker asker, Reply reply);

  // Of the queue's thread.
  void TellWritten(bool ok);
  void TellCancelled();

  CallQueue& queue_;
  EventPipes& pipes_;
  const v1::WatchRequest request_;
  Reply reply_;
  bool begun_ = false;  // the answer has left
  const std::shared_ptr<EventPipe> pipe_;
};

// One event as it stands on the wire.
std::string EventText(std::string_view id, std::string_view type, std::string_view data);

}  // namespace smsflow::server::rest
