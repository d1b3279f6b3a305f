// The heart of a gateway: takes leases and probes from the link, remembers, lets the carrier submit, and reports.
//
// One thread decides and writes. Whatever waits when it looks (leases, probes, words of the carrier, answers) is
// decided together and shares one sync; only then do reports leave and does the carrier see a new attempt. What can
// wait is bounded by the credit that the link gave, and what is told by the room that the link has (teller.h).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gateway/agreed_clock.h"
#include "gateway/carrier.h"
#include "gateway/correlator.h"
#include "gateway/hand_over.h"
#include "gateway/link.h"
#include "gateway/room.h"
#include "gateway/store.h"
#include "gateway/teller.h"

namespace smsflow::gateway {

struct CoreOptions {
  std::string gateway;  // 1 to 64 bytes of [A-Za-z0-9._-]
  std::vector<std::string> tenants;
  // What it opens; asked at each Hello. Empty, or none: it takes what is sealed for any key.
  std::function<std::vector<std::string>()> key_ids = {};
  std::int64_t prune_every_ms = 600'000;
  CorrelatorOptions receipts = {};
};

// Since the start.
struct CoreFigures {
  std::uint64_t leases = 0;
  std::uint64_t repeated_leases = 0;  // of attempts that were known
  std::uint64_t probes = 0;
  std::uint64_t submitted = 0;  // given to the carrier
  std::uint64_t reports = 0;
  std::uint64_t not_ours = 0;  // reports that the engine did not take from this store
  bool attached = false;
  CorrelatorFigures receipts = {};
};

class Core : public LinkEvents, public CarrierEvents {
 public:
  // Called with one line when going on would be wrong (the store failed). Must not return.
  using FatalHandler = std::function<void(const absl::Status&)>;

  // All of these outlive the core. Without `room` the disk is never looked at.
  Core(CoreOptions options, Store& store, Link& link, Carrier& carrier, const AgreedClock& clock, FatalHandler fatal,
       Room* room = nullptr);
  ~Core() override;

  // Reads what is parked; before Start() or RunOnce(). An error is that of the store.
  [[nodiscard]] absl::Status Load() { return correlator_.Load(); }
  void Start();  // the carrier, the link, and the deciding thread
  void Stop();   // in reverse; what was decided is durable. Idempotent
  // One round on the calling thread, for tests: everything that waits is decided, and what is over is forgotten. True
  // when something waited.
  bool RunOnce();
  CoreFigures figures() const;
  // From the next attachment on it serves these. Thread-safe.
  void ReplaceTenants(std::vector<std::string> tenants);

  engine::PeerHello Hello() override;
  void OnAttached() override;
  void OnDetached(const absl::Status& why) override;
  void OnLeases(std::vector<engine::Lease> leases) override;
  void OnProbes(std::vector<engine::Probe> probes) override;
  void OnAnswers(std::vector<Answer> answers) override;
  void OnGone(std::size_t reports) override;
  void OnOutcomes(std::vector<gateway::Report> outcomes) override;
  void OnParts(std::vector<PartAnswer> answers) override;
  void OnReceipt(SmscReceipt receipt, Handle handle) override;

 private:
  struct Inbox {
    std::vector<engine::Lease> leases;
    std::vector<engine::Probe> probes;
    std::vector<gateway::Report> outcomes;
    std::vector<Answer> answers;
    std::vector<PartAnswer> parts;
    std::vector<std::pair<SmscReceipt, Handle>> receipts;
    bool attached = false;  // since last time
    std::size_t gone = 0;   // of the reports; by itself nothing to be woken for
    bool room = false;      // for more that is to be told
    bool empty() const {
      return leases.empty() && probes.empty() && outcomes.empty() && answers.empty() && parts.empty() &&
             receipts.empty() && !attached && !room;
    }
  };

  void Loop();
  void LookForRoom(Inbox& inbox);
  void LookAtHeldBack(Inbox& inbox);
  void Decide(Inbox inbox);
  // Puts what is to be stored; the rest of the verdict is for after the commit.
  absl::Status DecideLeases(std::vector<engine::Lease>& leases, std::vector<gateway::Report>& reports,
                            std::vector<engine::Lease>& submit, std::vector<AttemptId>& kept);
  absl::Status DecideParts(const Inbox& inbox, std::vector<gateway::Report>& reports);
  absl::Status DecideReceipts(const Inbox& inbox, std::vector<gateway::Report>& reports);
  absl::Status HearAll(const std::vector<PlacedReceipt>& placed, std::vector<gateway::Report>& reports);
  absl::Status DecideOthers(const Inbox& inbox, std::vector<gateway::Report>& reports);
  void Keep(const AttemptId& attempt, const Verdict& verdict, bool is_new, std::vector<gateway::Report>& reports);
  absl::Status TellOn(const Inbox& inbox, std::vector<gateway::Report> reports);
  void PruneIfTime();
  void GiveUpParked();
  void Require(const absl::Status& status);

  const CoreOptions options_;
  Store& store_;
  Link& link_;
  Carrier& carrier_;
  const AgreedClock& clock_;
  const FatalHandler fatal_;
  Room* const room_;
  // New attempts that wait for room, on the disk or at the carrier; nothing is recorded or said of them, so the engine
  // holds their credit, and hands them over again should this process end.
  std::map<AttemptId, engine::Lease> held_back_;
  AttemptId held_after_;  // where they are looked at next: in turn, so that one route does not hold up the others
  bool low_ = false;
  std::int64_t prune_at_ms_;  // on the steady clock
  Teller teller_;             // of the deciding thread
  Correlator correlator_;     // likewise

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Inbox inbox_;
  CoreFigures figures_;
  std::vector<std::string> tenants_;  // those that Hello() tells
  bool waits_for_room_ = false;
  bool stopping_ = false;
  bool started_ = false;
  std::thread thread_;
};

}  // namespace smsflow::gateway
