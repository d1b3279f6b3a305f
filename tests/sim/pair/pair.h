// One run of one seed, with all that it remembers. Private to the simulation; pair_run.cc, pair_faults.cc and
// pair_checks.cc are its parts.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "storage/memory_store.h"
#include "tests/engine/world.h"
#include "tests/sim/asked_for.h"
#include "tests/sim/fault_kinds.h"
#include "tests/sim/ledger.h"
#include "tests/sim/pair/pair_link.h"
#include "tests/sim/pair/pair_run.h"
#include "tests/sim/sim_store.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::sim {

namespace delivery = workflows::delivery;

// The true time, as a machine sees it that has it wrong.
class SkewedClock : public engine::Clock {
 public:
  explicit SkewedClock(const engine::Clock& real) : real_(real) {}
  std::int64_t WallMs() const override { return real_.WallMs() + skew_ms; }
  std::int64_t SteadyMs() const override { return real_.SteadyMs(); }
  std::int64_t skew_ms = 0;

 private:
  const engine::Clock& real_;
};

// An SMS as its client sees it.
struct PairSms {
  engine::CreateRequest request;
  std::string batch;
  std::vector<delivery::Slots> slots;  // one, unless the answer about a change never came
  std::optional<InstanceId> id;
  bool acknowledged = false;
  std::optional<std::uint32_t> attempts_max;  // no attempt beyond may leave: it was stopped, and the client was told
};

// What the SMSC had of one attempt.
struct OnHandset {
  std::uint32_t parts = 0;
  std::map<std::uint32_t, int> taken;
  std::set<std::uint32_t> there;
  bool whole() const { return parts != 0 && there.size() == parts; }
  bool all_taken() const { return parts != 0 && taken.size() == parts; }
};

// Of a store, by family.
using PairRows = std::vector<std::tuple<int, std::string, std::string>>;

class PairRun {
 public:
  explicit PairRun(const PairRunOptions& options);
  ~PairRun();
  PairRunReport Make();
  static const std::vector<FaultKind<PairRun>>& Faults();

 private:
  // pair_run.cc
  bool Chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  std::int64_t Below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }
  std::int64_t now_ms() const { return world_.clock.wall_ms; }
  void Trace(const std::string& what);
  void Met(const std::string& what) { ++report_.faults[what]; }
  void Violated(const std::string& what);
  void ChoosePolicies();
  void Step();
  bool Round();
  void Engine(const std::function<void()>& what);   // what it does may end it
  void Gateway(const std::function<void()>& what);  // likewise
  void Schedule();
  void Ask(const std::string& name);
  void Command();
  void Cancel();
  void Send(engine::EventRequest request, engine::Done done);
  void Sweep(engine::SweepRequest request, const std::function<bool(const PairSms&)>& about);
  void CancelMany();
  void Block();
  void Reschedule();
  void Resolve();
  void Pause();
  void Resumed(const std::pair<storage::PauseScope, std::string>& about);
  void Stopped(PairSms& sms);
  std::pair<const std::string, PairSms>* AnySms();  // that was acknowledged; null: none
  void Quiet();
  bool Drained();

  // pair_faults.cc
  void Disturb();
  void OpenEngine();
  void KillEngine();
  void StartEngine();
  void StartGateway();
  void KillGateway();
  void LoseGatewayStore();
  void EngineDies();   // or is started
  void GatewayDies();  // likewise
  void CutLink();
  void CutSmsc();
  void TurnSmsc();
  void FillDisk();
  void CopyEngine();
  void StartOlderCopy();
  void Outage();
  bool ShowsMore() const;
  void JumpClock();
  void BreakDisk();
  void MakeSlow();
  void Mend();

  // pair_checks.cc
  void Handed(const PeerId& peer, const engine::Lease& lease);
  void Told(const gateway::Report& report);
  void Leaving(std::string_view destination);
  void Check();
  void CheckSeen(const SeenSubmit& one);
  void CheckTold(const AttemptId& attempt);
  void Inspect();
  void CheckTheEnd();
  void ReadLives(Ledger& ledger, std::vector<std::string>& objections);
  void CheckEnd(const std::string& name, const PairSms& sms, const Life& life);
  int CheckCopies(const PairSms& sms, const Life& life);
  void CheckAgreement(const AttemptId& attempt, delivery::Result known);
  std::optional<delivery::SmsView> ViewOf(const InstanceId& id);
  void Sum();
  std::string Lives();
  void Note(const AttemptId& attempt, const std::string& what);

  const PairRunOptions& options_;
  PairRunReport report_;
  std::mt19937_64 random_;
  engine::World world_;
  SkewedClock engine_clock_, gateway_clock_;
  Disk engine_disk_, gateway_disk_;
  std::unique_ptr<storage::MemoryStore> gateway_memory_, lost_;
  PairRows older_;  // what the engine's folder held once
  smsc::Script script_;
  bool low_ = false, smsc_down_ = false, quiet_ = false, must_stop_ = false;
  SmscSite site_;
  std::uint32_t credit_;
  PairLink link_;
  std::optional<GatewayParts> parts_;
  std::unique_ptr<GatewayProcess> gateway_;         // null: it is down
  std::map<std::string, engine::Policy> policies_;  // by tenant
  std::map<std::string, delivery::Policy> typed_policies_;
  int step_ = 0;

  std::map<std::string, PairSms> asked_;          // by a name of the run's own
  std::map<std::string, std::string> of_number_;  // names, by the handset's number without the attempt's digits
  std::map<InstanceId, std::string> names_;
  AskedFor asked_for_;
  int sweeps_ = 0;  // asked for
  std::set<std::pair<storage::PauseScope, std::string>> paused_;
  int resumes_ = 0;                            // asked for
  std::map<AttemptId, std::string> store_of_;  // to which it was handed
  std::map<AttemptId, std::int64_t> deadlines_;
  std::map<AttemptId, OnHandset> truth_;
  std::map<InstanceId, std::vector<std::string>> lives_;  // what went between the two and to the SMSC
  std::map<AttemptId, std::set<gateway::Reported>> told_;
  std::set<AttemptId> to_compare_;  // what was told with what is true
  std::size_t seen_ = 0;            // of the site's submits, those that were checked
};

// The last digits of the number are the attempt's own, so that the SMSC's log tells attempts apart.
std::unique_ptr<gateway::Opener> MakePairOpener();
std::string NumberOf(const std::string& base, std::uint32_t attempt);

}  // namespace smsflow::sim
