// One process of a simulated gateway, from its start to its kill: the product's own core, store, carrier, sorter and
// SMPP sessions, over a store that fails and loses what was not synced. No thread: it does what a Round() makes it do.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gateway/agreed_clock.h"
#include "gateway/attempt.h"
#include "gateway/core.h"
#include "gateway/opener.h"
#include "gateway/smsc_options.h"
#include "gateway/sorter.h"
#include "gateway/store.h"
#include "storage/memory_store.h"
#include "tests/engine/world.h"
#include "tests/sim/gateway/smsc_site.h"
#include "tests/sim/hooks.h"
#include "tests/sim/sim_store.h"

namespace smsflow::sim {

// Where a seeded bug takes hold of a gateway. Every hook may be empty.
struct GatewayHooks {
  Hooks rows;  // those of the store count here
  // From the core to the carrier, and back.
  std::function<void(std::vector<engine::Lease>&)> submit;
  std::function<void(gateway::PartAnswer&)> answer;
  std::function<void(gateway::Sorted&)> sorted;        // before it waits
  bool queue_after_intent = false;                     // the carrier takes all, and lets them wait
  std::function<bool(gateway::SmscReceipt&)> receipt;  // false: it gets lost, and is acknowledged all the same
  bool acknowledge_at_once = false;
  // The configuration of the carrier, and the link to the engine.
  std::function<void(gateway::SmscOptions&)> options;
  std::function<bool(gateway::Report&)> report;  // false: it gets lost, and counts as answered
  std::function<void(engine::PeerHello&)> hello;
};

// What a process is made of. What stands by reference outlives it, and is there when it is started again.
struct GatewayParts {
  std::string gateway;
  std::vector<std::string> tenants;
  gateway::SmscOptions smsc;
  std::shared_ptr<const gateway::PaceOptions> pace;  // null: no routes and no rates
  std::function<std::unique_ptr<gateway::Opener>()> opener;
  std::function<void(const engine::Lease&, const gateway::Route*)> turn;  // hears of each that has its turn
  engine::Clock& clock;
  engine::ManualClock& disks_clock;  // moved by a slow disk
  storage::MemoryStore* memory = nullptr;
  Disk& disk;
  const bool& low;
  SmscSite& site;
  gateway::Link& link;
  const GatewayHooks& hooks;
};

// What differs from run to run, and stays in each. Of the faults of an SMSC those named in `without` do not happen.
smsc::Script ScriptOf(std::mt19937_64& random, const std::set<std::string>& without);
std::vector<std::string> SmscFaultKinds();
std::string HabitsOf(const smsc::Script& script);
gateway::SmscOptions SmscOf(std::mt19937_64& random);
std::shared_ptr<const gateway::PaceOptions> PaceOf(std::mt19937_64& random);  // null in one of three

class HookedCarrier;

class GatewayProcess {
 public:
  explicit GatewayProcess(const GatewayParts& parts);
  ~GatewayProcess();

  // Throws engine::Fatal when its disk fails, as all does that follows; an error is that of what stands in the store.
  [[nodiscard]] absl::Status Start();
  // Each part does something of what it has to do.
  void Round(std::mt19937_64& random);

  const gateway::AgreedClock& clock() const { return clock_; }
  const gateway::Store& store() const { return *store_; }
  gateway::Core& core() { return *core_; }

 private:
  [[nodiscard]] absl::Status MakeCarrier();

  const GatewayParts& parts_;
  gateway::AgreedClock clock_;
  SimStore rows_;
  std::unique_ptr<gateway::Room> room_;
  std::unique_ptr<gateway::Store> store_;
  std::vector<SimSmscLink*> links_;  // the carrier's
  std::unique_ptr<HookedCarrier> carrier_;
  std::unique_ptr<gateway::Sorter> sorter_;  // where the run has routes
  std::unique_ptr<gateway::Core> core_;
};

}  // namespace smsflow::sim
