// grpc.health.v1.Health, for probes: needs no credential and tells nothing but whether calls are taken. (gRPC's own
// would start its callback threads: see call_queue.h.)
#pragma once

#include <memory>

#include "grpc/health/v1/health.grpc.pb.h"
#include "server/grpc/call_queue.h"
#include "server/grpc/calls.h"
#include "server/grpc/open_streams.h"

namespace smsflow::server {

namespace health = ::grpc::health::v1;

// Thread-safe.
class HealthService final {
 public:
  grpc::Service& wire() { return wire_; }
  void Serve(CallQueue& queue);
  // From now on NOT_SERVING; watches are told so and end.
  void Close();

 private:
  void Check(UnaryCall* call, const health::HealthCheckRequest* request, health::HealthCheckResponse* response);
  void Watch(WriteStream<health::HealthCheckResponse>* stream, const health::HealthCheckRequest* request);

  Wire<health::Health> wire_{nullptr};
  OpenStreams watches_;
  std::atomic<bool> closed_{false};
};

}  // namespace smsflow::server
