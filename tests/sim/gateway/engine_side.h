// The near side of a simulated gateway: an engine that keeps the contract of docs/hand-over.md, the link to it, and
// what it was told. What it knows is durable; what is on the link is lost when that is cut.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/bus.h"
#include "engine/seams.h"
#include "gateway/link.h"

namespace smsflow::sim {

// What the engine knows of one attempt.
struct Asked {
  engine::Lease lease;
  std::string number;                                 // of the handset; of no other attempt
  bool text_long = false;                             // it leaves in parts
  std::string store = {};                             // uuid of the one that it was handed to, and is bound to
  bool accepted = false;                              // need not be handed over again
  std::optional<workflows::delivery::Reported> best;  // the strongest that was reported
  bool never_seen = false;                            // was told so once
  std::int64_t asked_ms = 0;                          // the last lease or probe, on the steady clock
  std::vector<std::string> life;                      // what was said of it, for a person to read
};

class EngineSide : public gateway::Link {
 public:
  // `lose` and `hello` are bugs of the link's: see GatewayHooks.
  EngineSide(engine::Clock& clock, std::mt19937_64& random, std::function<bool(gateway::Report&)> lose,
             std::function<void(engine::PeerHello&)> hello)
      : clock_(clock), random_(random), lose_(std::move(lose)), hello_(std::move(hello)) {}

  // A new attempt, handed over at once if the link stands.
  void Lease(Asked asked);
  // Asks again, as an engine does in its own time: hands over what was not accepted, asks about what was. `all` as
  // after an attachment, else of some that were silent for a while.
  void Ask(bool all);
  // What is open in another store than the one that comes is UNKNOWN from now on.
  void Attach();
  void Cut();
  bool attached() const { return attached_; }
  // The gateway's process is gone.
  void Gone();

  // Moves some of what is on the link; false: there was nothing.
  bool Step();

  void Note(const AttemptId& attempt, const std::string& what);  // in its life
  const std::string& store() const { return uuid_; }             // of the one that attached last
  const std::map<AttemptId, Asked>& asked() const { return asked_; }
  // What the engine was told that no gateway may tell.
  const std::vector<std::string>& violations() const { return violations_; }
  std::uint64_t reports() const { return told_; }

  void Start(gateway::LinkEvents& events) override { events_ = &events; }
  void Report(std::vector<gateway::Report> reports) override;
  void Stop() override {}

 private:
  struct Down {
    std::optional<engine::Lease> lease;
    std::optional<engine::Probe> probe;
    std::optional<gateway::Answer> answer;
  };
  void Send(const AttemptId& attempt, Asked& asked);
  void Hear(const gateway::Report& report);

  engine::Clock& clock_;
  std::mt19937_64& random_;
  const std::function<bool(gateway::Report&)> lose_;
  const std::function<void(engine::PeerHello&)> hello_;
  gateway::LinkEvents* events_ = nullptr;
  bool attached_ = false;
  std::string uuid_;  // of the store that attached last
  std::deque<Down> down_;
  std::deque<gateway::Report> up_;
  std::map<AttemptId, Asked> asked_;
  std::vector<std::string> violations_;
  std::uint64_t told_ = 0;
};

// No result is known yet.
bool IsOpen(const Asked& asked);
// Their order in an attempt's life (docs/hand-over.md).
int RankOf(workflows::delivery::Reported reported);

}  // namespace smsflow::sim
