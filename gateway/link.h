// The gateway's way to the engine, whatever carries it: a gRPC stream (attach_client.h) or the same process
// (in_process.h). One Link serves one Core for its whole life; it attaches again by itself whenever it was cut.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "engine/bus.h"
#include "gateway/attempt.h"

namespace smsflow::gateway {

struct Answer {
  AttemptId attempt;
  Reported result = Reported::kAccepted;  // what was reported
  bool ours = true;                       // false: the engine does not know the attempt as this store's
};

// What a link tells. Called from the link's threads, possibly several at once; must not block and must not call the
// link.
class LinkEvents {
 public:
  virtual ~LinkEvents() = default;
  virtual engine::PeerHello Hello() = 0;  // asked before each attachment
  virtual void OnAttached() = 0;
  virtual void OnDetached(const absl::Status& why) = 0;
  virtual void OnLeases(std::vector<engine::Lease> leases) = 0;
  virtual void OnProbes(std::vector<engine::Probe> probes) = 0;
  virtual void OnAnswers(std::vector<Answer> answers) = 0;  // each report that is durable at the engine
};

// Thread-safe.
class Link {
 public:
  virtual ~Link() = default;
  virtual void Start(LinkEvents& events) = 0;
  // Goes out as soon as it can; dropped while not attached, for the core repeats what was not answered. May block while
  // the engine is slowed by load.
  virtual void Report(std::vector<gateway::Report> reports) = 0;
  // Ends the attachment and the link's threads; no event comes afterwards. Blocks for a second at most.
  virtual void Stop() = 0;
};

}  // namespace smsflow::gateway
