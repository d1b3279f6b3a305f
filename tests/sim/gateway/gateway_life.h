// One run of one seed, with all that it remembers. Private to the simulation; gateway_run.cc, gateway_faults.cc and
// gateway_checks.cc are its parts.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/memory_store.h"
#include "tests/engine/world.h"
#include "tests/sim/fault_kinds.h"
#include "tests/sim/gateway/engine_side.h"
#include "tests/sim/gateway/gateway_run.h"
#include "tests/sim/gateway/smsc_site.h"
#include "tests/sim/sim_store.h"

namespace smsflow::sim {

// What left under one limit, since the process began.
struct Meter {
  std::int64_t since_ms = 0, segments = 0;
};

class GatewayRun {
 public:
  explicit GatewayRun(const GatewayRunOptions& options);
  GatewayRunReport Make();
  static const std::vector<FaultKind<GatewayRun>>& Faults();

 private:
  // gateway_run.cc
  bool Chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  std::int64_t Below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }
  void Trace(const std::string& what);
  void Violation(std::string what);
  void Guarded(const std::function<void()>& what);
  void Step();
  void Round();
  void Drain(int rounds);
  void Lease();
  void Quiet();
  void Sum();
  std::string Lives() const;

  // gateway_faults.cc
  void Start();
  void Kill();
  void ComeUp();
  void Disturb();
  void Crash();
  void CutLink();
  void CutSmsc();
  void TurnSmsc();
  void WriteFails();
  void ReadFails();
  void StoreIsLost();
  void DiskFills();
  void SlowWrite();
  void LongTime();
  void ClockJumps();

  // gateway_checks.cc
  void Check();
  void CheckLeaving(std::string_view destination);
  void CheckSeen(const SeenSubmit& one);
  void CheckTurn(const engine::Lease& lease, const gateway::Route* route);
  void CheckRate(const std::string& whose, std::int64_t per_second, std::int64_t segments);
  void CheckOpen();
  void CheckTold(const AttemptId& attempt, const Asked& asked);
  void CheckTheEnd();
  void CheckReceipts(const AttemptId& attempt, const Asked& asked, const gateway::Record& record);
  void CheckSecrets();
  bool IsHere(const Asked& asked) const { return asked.store == process_->store().uuid(); }  // in this store
  std::optional<gateway::Record> RecordOf(const AttemptId& attempt);
  std::vector<const SeenSubmit*> TakenOf(const std::string& number) const;

  const GatewayRunOptions& options_;
  GatewayRunReport report_;
  std::mt19937_64 random_;
  engine::ManualClock clock_;
  std::unique_ptr<storage::MemoryStore> memory_, lost_;
  Disk disk_;
  bool low_ = false, down_ = false;
  smsc::Script script_;
  SmscSite site_;
  EngineSide engine_;
  GatewayParts parts_;
  std::map<std::string, Meter> meters_;
  std::unique_ptr<GatewayProcess> process_;
  int step_ = 0;
  std::uint64_t attempts_ = 0;
  std::size_t seen_ = 0;  // of the site's submits, those that were checked
  std::map<std::string, AttemptId> of_number_;
  std::map<std::pair<std::string, std::uint32_t>, int> taken_;  // by number and part
  std::map<AttemptId, int> highest_;                            // rank of what was recorded
  std::set<AttemptId> left_behind_;  // were there when a store was lost: meanwhile it was told nothing of them
};

}  // namespace smsflow::sim
