// The bare echo: a gRPC completion-queue server with one thread, the fastest kind that we know, that answers the same
// calls with messages of the same size as smsflowd, and does nothing else. Batches and streams are answered as smsflowd
// answers them: item by item, coalesced. What was scheduled is handed at once to whoever is attached, and each report
// is answered. What it reaches is the limit of anything that takes those calls on this machine.
#pragma once

#include <memory>
#include <string>

namespace smsflow::bench {

class EchoServer {
 public:
  // On a free port of the loopback; null when there is none.
  static std::unique_ptr<EchoServer> Start(bool hand_over);
  virtual ~EchoServer() = default;
  virtual const std::string& address() const = 0;
};

}  // namespace smsflow::bench
