// The gateway's way to the engine, whatever carries it: a gRPC stream (attach_client.h), Kafka (kafka_link.h) or the
// same process (in_process.h). One Link serves one Core for its whole life. The stream attaches again by itself
// whenever it was cut; in the same process there is one attachment, which nothing but a refusal, a Renew() or a stop
// ends.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/bus.h"
#include "gateway/attempt.h"

namespace smsflow::gateway {

// What is handed over; and by whom, where that is an engine without attempts of its own: its attempt is then made here.
struct Lease : engine::Lease {
  Lease(engine::Lease lease, OldName name = {}) : engine::Lease(std::move(lease)), old(std::move(name)) {}
  OldName old;
};

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
  virtual void OnLeases(std::vector<Lease> leases) = 0;
  virtual void OnProbes(std::vector<engine::Probe> probes) = 0;
  virtual void OnAnswers(std::vector<Answer> answers) = 0;  // each report that is durable at the engine, or on its way
  // So many reports of this attachment have left, and their memory is free. Those of an attachment that has ended are
  // not told of. May be called within Report(), on its caller's thread.
  virtual void OnGone(std::size_t reports) = 0;
};

// Thread-safe.
class Link {
 public:
  virtual ~Link() = default;
  virtual void Start(LinkEvents& events) = 0;
  // Goes out as soon as it can; dropped while not attached, for the core repeats what was not answered. Kafka's link
  // keeps what is told once (attempt.h), in memory. The stream only
  // queues it; in the same process the caller waits, half a second at most, while the engine has too much to do.
  virtual void Report(std::vector<gateway::Report> reports) = 0;
  // What these attempts' leases and probes asked for is durable, or over: they need not be handed over again. Before
  // any report on it. Must not block, and must not call the core.
  virtual void Kept(const std::vector<AttemptId>&) {}
  // What Hello() answers has changed: say it to the engine soon. Kafka's link says it at its next announcement.
  virtual void Renew() {}
  // Ends the attachment and the link's threads; no event comes afterwards. Blocks for a second at most.
  virtual void Stop() = 0;
};

}  // namespace smsflow::gateway
