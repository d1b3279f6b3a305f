// A gateway that keeps the contract of docs/hand-over.md, with a carrier and handsets behind it, for simulations. Its
// record survives its death; what it had in memory does not. Submits and copies on handsets are the ground truth.
//
// In a rogue run it also tells what is not so, of attempts that are its own; what becomes of those is then no promise.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "tests/sim/coverage.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::sim {

// What nobody in the system can see.
struct GroundTruth {
  std::map<AttemptId, int> submits;
  std::map<InstanceId, int> copies;  // on the handset
  std::set<AttemptId> copied;        // the attempts that put them there
  // What a rogue gateway told of an attempt, whether it was so or not.
  std::map<AttemptId, std::set<workflows::delivery::Reported>> lies;
  std::vector<std::string> violations;
};

// What the run wants to know as it happens.
struct GatewayEvents {
  // Before the gateway takes it; `store` is its uuid.
  std::function<void(const std::string& gateway, const std::string& store, const engine::Lease&)> leased;
  std::function<void(const AttemptId&, workflows::delivery::Reported)> reporting;
  std::function<void(const AttemptId&, workflows::delivery::Reported, engine::ReportOutcome)> answered;
  // A fault befalls a message about it.
  std::function<void(const char* fault, const AttemptId&)> astray;
};

class ModelGateway {
 public:
  struct Site {
    std::string name;
    std::vector<std::string> tenants;
    std::vector<std::string> lanes;
    std::uint32_t credit = 4;
    bool Serves(const std::string& tenant, const std::string& lane) const;
  };
  ModelGateway(Site site, GroundTruth& truth, std::mt19937_64& random, Coverage& coverage, GatewayEvents events)
      : site_(std::move(site)), truth_(truth), random_(random), coverage_(coverage), events_(std::move(events)) {}

  const Site& site() const { return site_; }
  bool attached() const { return session_ != nullptr; }
  int attachments() const { return attachments_; }  // how often it has attached
  void Attach(engine::Engine& engine);
  void AttachAgain(engine::Engine& engine);  // while the older stream of the same store still stands
  void DropOlderStream() { older_.reset(); }
  void CutLink();         // what is on its way in either direction is lost; neither side dies
  void Die();             // the process; its store stays
  void LoseStore();       // and its store is gone as well
  void BringStoreBack();  // the one that was lost, found again
  bool has_lost_store() const { return lost_.has_value(); }
  void Lie(const AttemptId& attempt, workflows::delivery::Reported lie);  // REQUIRES: attached()
  std::vector<AttemptId> Known() const;
  std::optional<workflows::delivery::Reported> ResultOf(const AttemptId& attempt) const;  // what it has recorded
  engine::PeerHello Hello() const;
  // Attempts of which it knows no more than that they were SENT, or not even that.
  std::vector<AttemptId> Undecided() const;
  std::vector<AttemptId> Open() const;       // taken, and nothing was said or done
  std::vector<AttemptId> Denied() const;     // of which it has last said that it never saw them
  void LearnLate(const AttemptId& attempt);  // an undecided one, from the carrier; or what hung goes on
  // One step of whatever it has to do; false when there was nothing. `now_ms` is the true time.
  bool Step(std::int64_t now_ms);
  bool idle() const { return inbox_.empty() && carrier_.empty() && outbox_.empty(); }
  bool owns(const AttemptId& attempt) const { return store_.records.count(attempt) != 0; }
  bool faithful = false;  // every submit now succeeds, receipts come at once: for the quiet phase
  int slow_receipts = 0;  // percent of receipts that take very long
  int hangs = 10;         // percent of what it takes that nothing becomes of until it dies, or goes on
  bool bad_link = false;  // leases and probes may be lost, doubled and overtaken one by one
  std::size_t room = 0;   // a link that holds so many messages is full; 0: never
  int accepts = 80;       // percent of what it takes that it says so of

  // How often what becomes of a submit: delivered, and told; delivered, and no receipt comes; a failure at once; one by
  // a receipt; one for good by a receipt; one for good at once; the carrier's link dies in the middle; SENT, and
  // neither delivery nor receipt comes.
  using Fates = std::array<int, 8>;
  Fates fates = {45, 10, 13, 12, 4, 4, 12, 0};

 private:
  using Reported = workflows::delivery::Reported;
  struct Record {
    bool intent = false;
    bool accepted = false;  // it said so
    bool submitted = false;
    std::optional<Reported> result;
    std::int64_t deadline_ms = 0;
  };
  struct Message {
    std::optional<engine::Lease> lease;
    std::optional<engine::Probe> probe;
    const AttemptId& attempt() const { return lease ? lease->attempt : probe->attempt; }
  };
  struct Later {
    AttemptId attempt;
    Reported reported;
    std::int64_t due_ms = 0;
  };
  struct Store {
    int number = 1;
    std::map<AttemptId, Record> records;
    std::deque<Later> receipts;  // of the carrier; they outlive the process, but not the store that knows them
    std::map<std::uint16_t, engine::Mark> marks;
    std::set<AttemptId> denied;  // by a lie
  };
  struct Wire {
    std::deque<Message> messages;
    bool closed = false;
  };
  struct Link;

  void Receive();
  std::string StoreName() const { return "store-" + site_.name + "-" + std::to_string(store_.number); }
  std::unique_ptr<engine::PeerSession> Open(engine::Engine& engine);
  void Take(const engine::Lease& lease, std::int64_t now_ms);
  void Answer(const engine::Probe& probe);
  void Submit(const AttemptId& attempt, std::int64_t now_ms);
  int PickFate();
  void LoseCarrier(const AttemptId& attempt, std::int64_t now_ms);
  bool Hangs(const AttemptId& attempt, const Record& record) const;
  void Settle(const AttemptId& attempt, Reported result);
  void PutOnHandset(const AttemptId& attempt);
  void Receipt(const AttemptId& attempt, Reported reported, std::int64_t now_ms);
  void Report(const AttemptId& attempt, Reported reported);
  bool Chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

  Site site_;
  GroundTruth& truth_;
  std::mt19937_64& random_;
  Coverage& coverage_;
  GatewayEvents events_;
  Store store_;                // durable
  std::optional<Store> lost_;  // may be found again
  int stores_ = 1;
  int attachments_ = 0;
  std::unique_ptr<engine::PeerSession> session_;
  std::unique_ptr<engine::PeerSession> older_;  // of a stream that a newer one replaced
  std::shared_ptr<Wire> wire_;                  // from the engine, while attached
  std::deque<Message> inbox_;                   // taken from it
  std::deque<Message> again_;                   // … and will come once more
  std::deque<AttemptId> carrier_;               // recorded, to be submitted
  std::deque<Later> outbox_;                    // to be reported
};

}  // namespace smsflow::sim
