// smsflow.v1.Gateway: Attach, the stream on which a gateway takes leases and reports.
//
// Reports are never refused: while the engine's queue fills, or answers wait for a gateway that does not read them, the
// stream is simply not read from. What is to be sent is bounded by the credit that the gateway gave, and by
// limits.unsent: a gateway that does not read its leases gets no more of them, and the rest waits in the engine.
#pragma once

#include "server/grpc/doors.h"
#include "server/grpc/open_streams.h"
#include "smsflow/v1/gateway.grpc.pb.h"

namespace smsflow::server {

class GatewayService final {
 public:
  // `doors` must outlive it.
  explicit GatewayService(const Doors& doors) : wire_(doors.authenticator), doors_(doors) {}

  grpc::Service& wire() { return wire_; }
  void Serve(CallQueue& queue) { queue.Bidi(wire_, "Attach", *this, &GatewayService::Attach); }
  // Ends all streams, for a graceful stop; later ones are UNAVAILABLE.
  void Close() { streams_.Close(); }

 private:
  void Attach(BidiStream<v1::GatewayMessage, v1::EngineMessage>* stream);

  Wire<v1::Gateway> wire_;
  const Doors& doors_;
  OpenStreams streams_;
};

}  // namespace smsflow::server
