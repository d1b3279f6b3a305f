// A gateway that keeps the contract of docs/hand-over.md, with a carrier and handsets behind it, for simulations. Its
// record survives its death; what it had in memory does not. Submits and copies on handsets are the ground truth.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::sim {

// What nobody in the system can see.
struct GroundTruth {
  std::map<AttemptId, int> submits;
  std::map<InstanceId, int> copies;           // on the handset
  std::vector<std::string> violations;
};

class ModelGateway {
 public:
  ModelGateway(std::string name, std::vector<std::string> tenants, GroundTruth& truth, std::mt19937_64& random)
      : name_(std::move(name)), tenants_(std::move(tenants)), truth_(truth), random_(random) {}

  bool attached() const { return session_ != nullptr; }
  void Attach(engine::Engine& engine);
  void CutLink();    // what is on its way in either direction is lost; neither side dies
  void Die();        // the process; its store stays
  void LoseStore();  // and its store is gone as well
  // One step of whatever it has to do; false when there was nothing.
  bool Step(std::int64_t now_ms);
  bool idle() const { return inbox_.empty() && carrier_.empty() && outbox_.empty(); }
  bool faithful = false;  // every submit now succeeds: for the quiet phase

 private:
  using Reported = workflows::delivery::Reported;
  struct Record {
    bool intent = false;
    std::optional<Reported> result;
    std::int64_t deadline_ms = 0;
  };
  struct Link;
  struct Message {
    std::optional<engine::Lease> lease;
    std::optional<engine::Probe> probe;
  };
  struct Later {
    AttemptId attempt;
    Reported reported;
  };

  void Take(const engine::Lease& lease, std::int64_t now_ms);
  void Answer(const engine::Probe& probe);
  void Submit(const AttemptId& attempt, std::int64_t now_ms);
  void Report(const AttemptId& attempt, Reported reported);
  bool Chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

  std::string name_;
  std::vector<std::string> tenants_;
  GroundTruth& truth_;
  std::mt19937_64& random_;
  int store_number_ = 1;
  std::map<AttemptId, Record> store_;             // durable
  std::unique_ptr<engine::PeerSession> session_;
  std::shared_ptr<std::deque<Message>> wire_;     // from the engine, while attached
  std::deque<Message> inbox_;                     // taken from it
  std::deque<AttemptId> carrier_;                 // recorded, to be submitted
  std::deque<Later> receipts_;                    // of the carrier; they outlive the process
  std::deque<Later> outbox_;                      // to be reported
};

}  // namespace smsflow::sim
