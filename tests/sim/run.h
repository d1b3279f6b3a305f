// One run of one seed, with all that it remembers: what clients asked for and were told, what is paused and blocked,
// how the clock was changed. Private to the simulation; commands.cc, faults.cc, checks.cc and quiet.cc are its parts.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "storage/high_water.h"
#include "tests/engine/world.h"
#include "tests/sim/asked_for.h"
#include "tests/sim/ledger.h"
#include "tests/sim/model_gateway.h"
#include "tests/sim/sim_store.h"
#include "tests/sim/simulation.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::sim {

namespace delivery = workflows::delivery;

inline constexpr std::int64_t kMinuteMs = 60'000;
inline constexpr std::uint32_t kQueueNeverFull = 50'000;

// In memory, and never lost: what the small file beside the store would say.
class NotedMarks : public storage::HighWater {
 public:
  std::uint64_t ahead = 0;  // of the truth, by a seeded bug
  void Note(ShardId shard, storage::HighWaterMark mark) override {
    mark.sequence += ahead;
    auto& noted = marks_[shard.value];
    noted = std::max(noted, mark);
  }
  storage::HighWaterMark Noted(ShardId shard) const override { return marks_[shard.value]; }
  storage::HighWaterMark AtOpen(ShardId shard) const override { return marks_[shard.value]; }
  absl::Status Save() override { return absl::OkStatus(); }

 private:
  mutable std::map<std::uint16_t, storage::HighWaterMark> marks_;
};

// What may stand in an SMS: one version, unless the answer about a change never came.
struct Version {
  delivery::Slots slots;
  std::string payload;
  std::string lane;
};

// An SMS as its client sees it.
struct Sms {
  engine::CreateRequest request;
  std::string batch, key;
  std::vector<Version> versions;
  std::optional<InstanceId> id;
  bool acknowledged = false;
  std::optional<std::uint32_t> attempts_max;  // no attempt beyond may leave: it was stopped, and the client was told
  std::string stopped_by;
  bool stopped_unsent = false;  // … before any had left
  int rescheduled_at = 0;       // the step in which that was last asked for
};

struct AskedSweep {
  std::string actor;                // names it in the journal
  std::vector<std::string> before;  // those that it is about and that were acknowledged before it was asked for
  bool answered = false;
};

// To be looked at now: it waits in an open slot, until then.
struct LookedAt {
  InstanceId id;
  std::uint64_t sequence = 0;  // of its last record
  std::int64_t due_ms = 0;
};

// What stands in the log outside.
struct LogRecord {
  engine::FedWork work;
  std::string name;                // of the SMS that it asks for
  std::vector<LookedAt> looks_at;  // when it was given last
  std::optional<std::pair<AttemptId, delivery::Reported>> reports;
  bool answered = false;
  bool refused = false;
  bool laid_aside = false;
};

// Of a tenant in the shards of one partition: who is due, and how many others have left since any of them did through
// gateways that could have taken one of them.
struct Waiting {
  struct One {
    InstanceId id;
    std::string lane;
    std::int64_t due_ms = 0;
  };
  std::vector<One> due;
  std::uint32_t passed_over = 0;
};

// What is met again and again in a run; see themes.cc.
enum class Theme { kAnything, kLateNews, kStops, kContradictions, kClocks, kStores };

// Every check of an invariant, by the name under which it is counted where it is made: "check I8 …".
std::vector<std::string> ChecksToReach();
// An SMS in this state, while this happened.
std::string MetName(const std::string& fault, delivery::State state);
// Whether chance makes it often enough to be asked for.
bool CanMeet(const std::string& fault, delivery::State state);

class Run {
 public:
  explicit Run(const RunOptions& options);
  ~Run();
  RunReport Go();
  std::vector<std::string> NamesToReach() const;
  std::vector<std::string> FaultKinds() const;

 private:
  struct Choice {
    const char* name;
    int weight;
    bool (Run::*make)();  // false: there was nothing to do it to, or it comes later
  };

  // simulation.cc
  static engine::EngineOptions Options(std::uint64_t seed);
  // In the others the whole store is looked at now and then.
  bool InspectsEveryStep() const { return seed_ % 64 == 3; }
  // One tenant wants ten to a hundred times as much as the others, and the gateways take little.
  bool skewed() const { return seed_ % 10 == 6 || seed_ % 10 == 7; }
  void Step();
  const Choice& AnyCommand();
  void Give(const Choice& command);
  void Together();
  void Meanwhile();
  void Settle();
  void Rounds();  // until nothing is left to do
  bool Round();
  void Restart();
  void End();  // of the engine's process; sessions do not outlive it
  bool Open();
  void Hit(const std::string& name) { coverage_.Hit(name); }
  void Tell(const std::string& what);  // for the trace
  void Reseed() {
    interleaving_ = seed_ + 0x9E3779B97F4A7C15ULL * static_cast<std::uint64_t>(step_ + 1);
    random_.seed(interleaving_);
  }
  int Pick(int below) { return static_cast<int>(random_() % static_cast<std::uint64_t>(below)); }
  void Trace(std::uint64_t what) { report_.trace_hash = (report_.trace_hash ^ what) * 1'099'511'628'211ULL; }
  void Violated(const std::string& what) { report_.violations.push_back(what); }
  ModelGateway& AnyGateway() { return *gateways_[static_cast<std::size_t>(Pick(static_cast<int>(gateways_.size())))]; }
  // The wall clock as it should be, and how far it is off.
  std::int64_t true_ms() const { return world_.clock.steady_ms + epoch_ms_; }
  std::int64_t skew_ms() const { return world_.clock.wall_ms - true_ms(); }
  // Nothing may leave by such a clock: it jumped, or what is stored is younger.
  bool IsWrong() const;
  void Pass(std::int64_t ms);
  std::string Lives();

  // themes.cc
  bool themed() const { return theme_ != Theme::kAnything; }
  // About attempts: many leave, and little stops them all.
  bool busy() const { return themed() && theme_ != Theme::kClocks && theme_ != Theme::kStores; }
  // Queues are so short that they fill.
  bool fills() const { return queue_max_ < kQueueNeverFull; }
  bool RefusedByQueue(const absl::Status& status) const { return fills() && absl::IsResourceExhausted(status); }
  void ChooseTheme();
  void ChoosePolicies();
  void ChooseGateways();
  void ChooseFaults();

  // commands.cc
  bool Schedule();
  // Of which nobody knows yet; by its name. Without a key of its own it gets one of a few.
  std::string NewSms(const std::string& tenant, const std::string& key = "");
  void TakenAs(const std::string& name, const engine::Answer& answer, bool again, bool existed);
  bool ScheduleAgain();
  bool MoveTime();
  void MeetATimer();
  void Help();
  bool StepGateway();
  bool Cancel();
  bool CancelMany();
  bool Block();
  bool Reschedule();
  bool Resolve();
  bool LookNow();
  bool TogglePause();
  bool ForeignCommand();
  bool Explain();
  bool LateNews();
  using Of = std::pair<ModelGateway*, AttemptId>;
  std::optional<Of> OneOf(std::vector<AttemptId> (ModelGateway::*which)() const,
                          delivery::State rather = delivery::State::kNew);
  void Ask(const std::string& name, bool again);
  void Send(engine::EventRequest request, engine::Done done);
  void AskSweep(engine::SweepRequest request, std::vector<std::string> before);
  void Stopped(Sms& sms, const std::string& by);
  void Stopping(const InstanceId& id);
  void Reporting(const AttemptId& attempt, delivery::Reported reported);
  const std::pair<const std::string, Sms>* AnySms();
  delivery::State StateSeen(const InstanceId& id) const;
  bool Left(const InstanceId& id) const;  // an attempt of it has
  const std::pair<const std::string, Sms>* OneInFlight();
  std::vector<std::string> Matching(const std::function<bool(const Sms&)>& wanted) const;

  // faults.cc
  // A fault happens, now and to those SMSes that have moved since the engine was started: only then it is counted.
  void Met(const std::string& fault);
  void MetOne(const std::string& fault, const InstanceId& id);  // a fault befalls this one alone
  void DiskFault(const std::string& fault);  // and by the name that stands for both kinds, where there are two
  bool Fault();
  bool CutLink();
  bool GatewayDies();
  bool StoreIsLost();
  bool StoreIsFound();
  bool TwoStreams();
  bool Crash();
  bool PowerCut();
  bool Downtime();
  bool DiskFills();
  bool WriteFails();
  bool ReadFails();
  bool SlowSync();
  std::int64_t AnyJump();
  void Jump(std::int64_t by_ms);
  bool ClockJumps();
  void ClockJumpsWhileDown();
  bool ClockIsTrusted();
  bool DiskGuard();
  bool Drain();
  bool Lie();
  void StopNow(const InstanceId& id);  // a cancel, or a block of its target

  // checks.cc
  void Leased(const std::string& gateway, const std::string& store, const engine::Lease& lease);
  void LeasedFresh(const Sms& sms, const std::string& gateway, const engine::Lease& lease);
  void CheckPauses(const Sms& sms, const std::string& gateway, const engine::Lease& lease);
  void CheckBudget(std::int64_t left_ms);
  void Answered(const AttemptId& attempt, delivery::Reported reported, engine::ReportOutcome outcome);
  void CheckStep();
  void CheckQueues();
  void CheckMoved();
  void CheckHandset(const Sms& sms, delivery::State state);
  bool WasLiedToBeDelivered(const InstanceId& id) const;
  void CheckCopies(const Sms& sms, const Life& life);
  void Recorded(const InstanceId& id, std::uint64_t sequence, const Life& before, const JournalBody& record);
  void CheckBlocked(const std::string& where, const Life& before, const JournalBody& record);
  void CheckReports();
  void CheckTells();
  void CheckAfterRestart();
  void CheckSweeps();
  void CheckPresence();
  void Inspect();
  bool MayBeErased(const InstanceId& id) const;
  bool IsStored(const InstanceId& id) const;
  std::optional<delivery::SmsView> ViewOf(const InstanceId& id);

  // log.cc
  bool LookNowAtMany();
  engine::SweepRequest LookAtMany(std::vector<LookedAt>& waiting);
  std::vector<LookedAt> WaitInAnOpenSlot(const std::function<bool(const Sms&)>& wanted);
  bool MayLeaveNow(const delivery::SmsView& view) const;
  void LookedAtAll(const std::vector<LookedAt>& looked_at);
  void CheckLookedAt();
  std::vector<LookedAt> StillIn(const std::vector<LookedAt>& looked_at);
  bool WriteRecords();
  bool Write(LogRecord& record);
  bool RecordOfOne(LogRecord& record);
  bool RecordOfReport(LogRecord& record);
  bool TellProgress();
  void GiveRecords();
  void Fed(std::uint64_t position, const engine::FedAnswer& answer);
  void ReadLogAgain();
  void ReadLogToItsEnd();
  void TakePosts();
  void CheckLog();
  void CheckLogEnds();

  // turns.cc
  int PartitionOf(const InstanceId& id) const { return id.shard().value % world_.options.partitions; }
  bool StillWaits(const Waiting::One& one);
  std::uint32_t PassedOverMax() const;
  int Attachments() const;
  bool TurnsHold() const;
  void NoteWaiting();
  bool LateMayLeave() const;
  bool CouldLeaveBy(const std::string& gateway, const std::string& tenant, Waiting& waiting);
  void CheckTurns(const std::string& gateway, const engine::Lease& lease);

  // quiet.cc
  void Quiet();
  void Mend();
  void ResumeAll();
  void AskPause(engine::PauseRequest pause);
  std::uint32_t InFlight(const std::string& gateway) const;
  void CheckNobodyStarves();
  void LetPass(std::int64_t ms, std::int64_t step_ms);
  void CheckEnds();
  void CheckEnd(const Sms& sms);
  void CheckErased();

  std::mt19937_64 random_;
  Coverage coverage_;
  Hooks hooks_;
  Disk disk_;
  std::unique_ptr<engine::Random> same_random_;
  std::unique_ptr<engine::Clock> clock_ahead_;
  NotedMarks marks_;
  const std::uint64_t seed_;
  const Played played_;
  Coverage* wanted_;
  engine::World world_;
  std::int64_t epoch_ms_ = 0;
  GroundTruth truth_;
  std::unique_ptr<Ledger> ledger_;
  std::vector<std::unique_ptr<ModelGateway>> gateways_;
  std::map<std::string, engine::Policy> policies_;  // by tenant
  std::map<std::string, delivery::Policy> typed_policies_;
  std::vector<Choice> faults_;
  std::vector<Choice> commands_;
  Theme theme_ = Theme::kAnything;
  bool rogue_ = false;
  bool erases_ = false;  // retention is short enough to be seen
  int step_ = 0;

  int large_ = 0;                                           // the tenant that wants much, where load is skewed
  int burst_ = 1;                                           // so many at once
  int small_one_in_ = 3;                                    // of all times that something is asked for
  std::map<std::pair<std::string, int>, Waiting> waiting_;  // by tenant and partition
  int pauses_before_ = 0, attachments_before_ = 0;          // when that was noted
  std::uint64_t interleaving_ = 0;                          // of partitions
  std::set<InstanceId> could_leave_;                        // in the quiet phase, when it was last looked
  std::size_t left_at_look_ = 0;                            // how many attempts had left by then
  std::map<std::string, Sms> asked_;                        // by a name of the run's own
  std::string met_;                                         // the one that this step is about; empty: none
  // Asked for, or told, since the engine last looked.
  std::set<InstanceId> stopped_now_, reported_now_;
  std::map<InstanceId, std::string> names_;
  AskedFor asked_for_;
  std::vector<AskedSweep> sweeps_;
  std::set<std::pair<std::string, std::string>> blocked_;
  std::map<std::pair<std::string, std::string>, int> maybe_blocked_;        // until the end of which step
  using Scope = std::tuple<storage::PauseScope, std::string, std::string>;  // tenant, value
  std::set<Scope> paused_;
  std::map<Scope, int> may_be_paused_;  // asked, by the number of the question, and no resume was answered since
  // Pauses and resumes, and memberships, by the order in which they were asked for: the last one stands.
  int pauses_asked_ = 0;
  std::map<Scope, int> resumed_at_;
  std::map<std::pair<std::string, std::string>, std::size_t> asked_of_;  // by target: the last sweep
  bool draining_ = false;
  bool disk_guard_ = false;

  std::map<AttemptId, std::pair<std::string, std::string>> bound_;  // to which gateway and store
  std::set<AttemptId> left_;                                        // handed over for the first time
  std::map<AttemptId, delivery::Result> said_, heard_;              // reported; and answered as durable
  std::map<AttemptId, int> heard_at_;                               // the step of its first answer
  std::set<AttemptId> to_compare_;
  std::map<std::pair<std::uint16_t, std::uint16_t>, std::uint64_t> tells_;  // applied: (destination, source)

  std::vector<LookedAt> looked_at_;  // in this step
  std::vector<LogRecord> log_;
  std::size_t log_next_ = 0;           // to be given
  std::size_t log_open_ = 0;           // given, and not answered
  bool log_begun_ = false;             // in this life of the engine
  std::vector<std::uint64_t> log_at_;  // by shard, as it was stored when it was last looked at

  // As many tokens as the engine may have at most for what is late.
  std::uint32_t budget_per_s_ = 0;
  std::uint32_t queue_max_ = 0;
  double budget_ = 0;
  // When any left late in this life of the engine, by the clock that never jumps, and how many at the last instant.
  std::int64_t late_first_ms_ = -1, late_last_ms_ = -1;
  int late_at_once_ = 0;
  std::int64_t budget_at_ms_ = 0;

  std::int64_t begun_wall_ms_ = 0;  // when this life of the engine was started

  // By how much what the engine takes for right is off; none: it was started by a clock well behind what is stored.
  std::optional<std::int64_t> trusted_skew_ms_ = 0;
  std::int64_t clock_jump_ms_ = 0;  // what it must notice is further than this
  std::int64_t stored_ms_ = 0;      // the time that was stored when it was last started
  std::int64_t newest_wall_ms_ = 0;
  int next_name_ = 0;
  int next_sweep_ = 0;
  RunReport report_;
};

}  // namespace smsflow::sim
