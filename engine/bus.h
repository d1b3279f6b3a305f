// How leases leave the engine and reports come back, whatever carries them: a gRPC stream of `Gateway.Attach`, the
// loopback gateway in the same process, a simulation, topics of Kafka.
//
// A peer is one store of one gateway. Attaching it gives the engine a PeerLink to send through, and gives the caller a
// PeerSession to report through. Of one peer the newest session wins: the older one's link is closed. Another store of
// the same gateway is refused while a session of the old one lives; once it attaches, the old store is lost and its
// open leases become the workflow's kPeerLost.
//
// On attaching, and without asking for credit, the engine repeats what that store may have missed: leases not yet
// accepted and not past their deadline are handed over again, for the others a probe is sent. It does so in portions,
// between other work, and as fast as the link is emptied.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "ids/ids.h"
#include "workflows/workflow.h"

namespace smsflow::engine {

// The engine's last acknowledged sequence of a shard, carried by what leaves.
struct Mark {
  ShardId shard;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::string seal = {};  // of a carrier that does not trust whoever brings marks back; nothing to the engine
};

struct Lease {
  AttemptId attempt;
  std::string tenant;
  std::string client_key;
  std::string lane;  // key id
  std::int64_t deadline_ms = 0;
  std::string payload;
  Mark mark;
  bool again = false;
};

struct Probe {
  AttemptId attempt;
  std::int64_t deadline_ms = 0;
};

// The engine's way to one attached peer. Called from partition threads, possibly several at once; must not block, must
// not call back into the engine; bounded by the credit that the peer gave. After Close() nothing more is sent.
class PeerLink {
 public:
  virtual ~PeerLink() = default;
  virtual void Send(std::vector<Lease> leases) = 0;
  virtual void Send(std::vector<Probe> probes) = 0;
  virtual void Close(const absl::Status& why) = 0;
  // True while what was sent has not left yet, so that more of it should wait: until it has, the peer counts as one
  // without credit. When that ends, PeerSession::AddCredit(0) tells. Called under a lock: must do no more than look.
  virtual bool Full() const { return false; }
};

struct PeerHello {
  PeerId peer;
  std::vector<std::string> tenants;  // served; each allowed by the credential
  std::vector<std::string> lanes;    // key ids; empty: every one
  std::vector<Mark> marks;           // the highest this store has seen
  // Of whose attempts it may tell besides, where it was leased them: all that its credential allows, also those that it
  // serves no longer.
  std::vector<std::string> tells_of = {};
};

enum class ReportOutcome : std::uint8_t { kApplied = 1, kNoted = 2, kNotYours = 3, kFailed = 4 };

struct ReportAnswer {
  AttemptId attempt;
  ReportOutcome outcome = ReportOutcome::kFailed;
};

// An attached peer's way to the engine. Thread-safe. Destroying it detaches: its credit is gone, its leases stay its
// own. It must not outlive the engine.
class PeerSession {
 public:
  virtual ~PeerSession() = default;
  virtual void AddCredit(std::uint32_t more) = 0;
  // `event` is the workflow's report (its Event::effect is set from `attempt`). `done` is called once the report is
  // durable, on a partition thread; it must not block.
  virtual void Report(const AttemptId& attempt, workflows::Event event,
                      absl::AnyInvocable<void(ReportAnswer)> done) = 0;
  // True while reports should not be read faster: the engine's queue is filling. Reports are never refused.
  virtual bool Congested() const = 0;
};

// A workflow's message for a topic. Posts of one instance come in order; each is repeated after a restart until
// Engine::Taken() was called for it, so its id (shard, sequence) is what a receiver deduplicates by.
inline constexpr std::uint16_t kDeadLetters = 0xFF00;  // the kernel's own: a DeadLetterBody, of no instance
struct Post {
  ShardId shard;
  std::uint64_t sequence = 0;
  InstanceId instance;
  std::uint16_t topic = 0;
  std::string body;
};

// Where posts go. Same terms as PeerLink. A dead letter that waits for long comes again under another sequence, which
// counts from then on.
class PostSink {
 public:
  virtual ~PostSink() = default;
  virtual void Send(std::vector<Post> posts) = 0;
};

}  // namespace smsflow::engine
