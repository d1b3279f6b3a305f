// The heart of a gateway: takes leases and probes from the link, remembers, lets the carrier submit, and reports.
//
// One thread decides and writes. Whatever waits when it looks (leases, probes, words of the carrier, answers) is
// decided together and shares one sync; only then do reports leave and does the carrier see a new attempt. What can
// wait is bounded by the credit that the link gave, and what is told by the room that the link has (teller.h).
//
// A new attempt waits for its turn (outlet.h), for a place at the carrier, and for room on the disk. Until then nothing
// is recorded and nothing said of it: it has no INTENT, so no window is open, the engine holds its credit, and hands it
// over again should this process end. A probe that comes meanwhile makes it NEVER_SEEN, and it does not leave any more;
// its deadline makes it EXPIRED.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/figures.h"
#include "gateway/agreed_clock.h"
#include "gateway/audit_log.h"
#include "gateway/carrier.h"
#include "gateway/correlator.h"
#include "gateway/hand_over.h"
#include "gateway/link.h"
#include "gateway/outlet.h"
#include "gateway/room.h"
#include "gateway/sorter.h"
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
  // Routes and rates, which need a sorter; without, all may leave as soon as the carrier has a place, tenants in turn.
  std::shared_ptr<const PaceOptions> pace = {};
};

// Of one route, as of the last round; without a name where there are none.
struct RouteFigures {
  std::string name = {};
  std::array<std::size_t, kPriorities> waiting = {};
  std::optional<std::int64_t> tokens = {};  // segments that may leave at once; nullopt: it has no limit
};

// Since the start, but for what is said to be so now.
struct CoreFigures {
  std::uint64_t leases = 0;
  std::uint64_t repeated_leases = 0;  // of attempts that were known
  std::uint64_t probes = 0;
  std::uint64_t submitted = 0;  // given to the carrier
  std::uint64_t reports = 0;
  std::uint64_t not_ours = 0;  // reports that the engine did not take from this store
  bool attached = false;
  CorrelatorFigures receipts = {};
  std::array<std::uint64_t, 5> heard = {};  // receipts by what they say, in the order of submission::Heard
  std::vector<RouteFigures> routes = {};
  std::size_t sorting = 0;      // now: leases that the sorter has
  std::size_t telling = 0;      // now: reports that have not left yet
  bool low = false;             // now: the disk is nearly full
  engine::Histogram sync = {};  // seconds to make a round durable
};

class Core : public LinkEvents, public CarrierEvents {
 public:
  // Called with one line when going on would be wrong (the store failed). Must not return.
  using FatalHandler = std::function<void(const absl::Status&)>;

  // All of these outlive the core. Without `room` the disk is never looked at.
  Core(CoreOptions options, Store& store, Link& link, Carrier& carrier, const AgreedClock& clock, FatalHandler fatal,
       Room* room = nullptr, Sorter* sorter = nullptr, AuditLog* audit = nullptr);
  ~Core() override;

  // Reads what is parked, and logs what the last process may not have; before Start() or RunOnce(). An error is that
  // of the store.
  [[nodiscard]] absl::Status Load();
  void Start();  // the carrier, the sorter, the link, and the deciding thread
  void Stop();   // in reverse; what was decided is durable. Idempotent
  // One round on the calling thread, for tests: everything that waits is decided, and what is over is forgotten. True
  // when there was something to be done.
  bool RunOnce();
  CoreFigures figures() const;
  // From the next attachment on it serves these. Thread-safe.
  void ReplaceTenants(std::vector<std::string> tenants);

  engine::PeerHello Hello() override;
  void OnAttached() override;
  void OnDetached(const absl::Status& why) override;
  void OnLeases(std::vector<Lease> leases) override;
  void OnSorted(std::vector<Sorted> sorted);
  void OnProbes(std::vector<engine::Probe> probes) override;
  void OnAnswers(std::vector<Answer> answers) override;
  void OnGone(std::size_t reports) override;
  void OnOutcomes(std::vector<gateway::Report> outcomes) override;
  void OnParts(std::vector<PartAnswer> answers) override;
  void OnReceipt(SmscReceipt receipt, Handle handle) override;

 private:
  struct Inbox {
    std::vector<Lease> leases;
    std::vector<Sorted> sorted;
    std::vector<engine::Probe> probes;
    std::vector<gateway::Report> outcomes;
    std::vector<Answer> answers;
    std::vector<PartAnswer> parts;
    std::vector<std::pair<SmscReceipt, Handle>> receipts;
    bool attached = false;  // since last time
    std::size_t gone = 0;   // of the reports; by itself nothing to be woken for
    bool room = false;      // for more that is to be told
    bool empty() const {
      return leases.empty() && sorted.empty() && probes.empty() && outcomes.empty() && answers.empty() &&
             parts.empty() && receipts.empty() && !attached && !room;
    }
  };

  // What one round comes to.
  struct Round {
    Horizon now;
    std::vector<gateway::Report> reports = {};
    std::vector<engine::Lease> submit = {};  // once all is durable
    std::vector<AttemptId> kept = {};        // these need not come again
    std::uint64_t repeated = 0;
  };

  void Loop();
  std::chrono::milliseconds Pause() const;
  bool Decide(Inbox inbox);
  absl::Status CommitTimed();
  void NoteFigures();
  absl::Status DecideLeases(Inbox& inbox, Round& round);
  // New ones wait; what is known is told again.
  absl::Status TakeIn(std::vector<Lease> leases, Round& round);
  absl::Status TakeSorted(std::vector<Sorted> sorted);
  absl::Status Refuse(Round& round);
  void GiveUpLate(Round& round);
  void TakeTurns(Round& round);
  void GiveBackOfThoseAway(Round& round);
  const Route* RouteOf(const Waiting& sms) const;  // null where there are no routes
  bool Waits(const AttemptId& attempt) const;
  void StopWaiting(const AttemptId& attempt);
  // What a lease comes to, put to be stored; the rest of the verdict is for after the commit.
  void Settle(const engine::Lease& lease, Verdict verdict, bool is_new, Round& round);
  bool SettleNew(const engine::Lease& lease, Round& round);  // true: it is to be submitted
  absl::Status DecideParts(const Inbox& inbox, std::vector<gateway::Report>& reports);
  absl::Status DecideReceipts(const Inbox& inbox, std::vector<gateway::Report>& reports);
  absl::Status HearAll(const std::vector<PlacedReceipt>& placed, std::vector<gateway::Report>& reports);
  absl::Status DecideOthers(const Inbox& inbox, std::vector<gateway::Report>& reports);
  absl::StatusOr<bool> IsOfAnother(const AttemptId& attempt) const;
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
  Sorter* const sorter_;
  AuditLog* const audit_;
  // Of the deciding thread, as all until the mutex: where new attempts are until they are recorded.
  std::unordered_set<AttemptId> sorting_;             // the sorter has them
  Outlet outlet_;                                     // they wait for their turn
  std::map<AttemptId, Sorted> refused_;               // to be recorded once the disk has room
  std::unordered_map<AttemptId, OldName> old_names_;  // of those of them that an engine without attempts asked for
  bool low_ = false;
  std::int64_t prune_at_ms_;  // on the steady clock
  Teller teller_;
  Correlator correlator_;

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
