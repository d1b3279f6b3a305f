// One run over the modelled Kafka, with all that it remembers. Private to the simulation; kafka_run.cc, kafka_faults.cc
// and kafka_checks.cc are its parts.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "server/kafka/dead_letters.h"
#include "server/kafka/gateways.h"
#include "server/kafka/intake.h"
#include "server/kafka/outlet.h"
#include "tests/engine/world.h"
#include "tests/server/kafka/stored_smses.h"
#include "tests/sim/fault_kinds.h"
#include "tests/sim/kafka_gateway.h"
#include "tests/sim/kafka_run.h"
#include "tests/sim/sim_store.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/zones.h"

namespace smsflow::sim {

namespace delivery = workflows::delivery;

inline constexpr std::int32_t kOrderPartitions = 2;
inline kafka::TopicPartition Orders(std::int32_t partition) { return {"orders", partition}; }
inline const kafka::TopicPartition kDeadLetters{"dead", 0};
inline constexpr std::int64_t kLookMs = 25'000;  // so often topics are looked at, when the broker answers

// Kinds of fault that are not in the table of those that a step makes; and one that is, and comes in an outage too.
inline constexpr char kRefused[] = "the broker refuses a record";
inline constexpr char kLost[] = "a record does not arrive";
inline constexpr char kLate[] = "a record arrives and is told as lost";
inline constexpr char kKill[] = "the engine is killed";

// A record that the client wrote.
struct Written {
  kafka::TopicPartition place;
  std::int64_t offset = 0;
  std::string key;
  bool poison = false, named = false, due = false, cut = false;
  bool late = false;    // its slot ends while the broker is away
  bool cancel = false;  // of the SMS with this key, behind a record that asks for it
  std::size_t behind = 0;
};

class KafkaRun {
 public:
  explicit KafkaRun(const KafkaRunOptions& options);
  ~KafkaRun();
  KafkaReport Go();
  KafkaReport GoThroughAnOutage();
  static const std::vector<FaultKind<KafkaRun>>& Faults();

 private:
  // kafka_run.cc
  int Pick(int below) { return static_cast<int>(random_() % static_cast<std::uint64_t>(below)); }
  void Trace(std::uint64_t what) { report_.trace_hash = (report_.trace_hash ^ what) * 1'099'511'628'211ULL; }
  void Tell(const std::string& what);
  void Violated(const std::string& what);
  void Open();
  void Close();
  void Pump(int rounds, std::int64_t step_ms);
  void Write(const kafka::Outgoing& record, const Written& what);
  void Write(const kafka::Outgoing& record, Written what, const kafka::TopicPartition& place);
  void WriteOrders(int most = 6, std::int64_t slot_s = 86'400);
  void WritePoison();
  void WriteCancel();
  void Step();
  void Quiet();

  // kafka_faults.cc
  bool Off(const char* fault) const { return options_.played.without.contains(fault); }
  server::ModelBroker::Fault AnswerOfBroker();
  void Disturb();
  void Crash();
  void ForgetWhatWasFound();
  void GiveAgain();
  void EndProducers();
  void CutOff();
  void ChangeLeader();
  void GoAway();
  void HoldDeliveries();
  void DeleteOld();

  // kafka_checks.cc
  enum class Cancel { kNone, kPerhaps, kApplied };  // is it certain that a cancel of it was applied, or possible?
  // Of each partition: each record below it that the broker kept was applied.
  using AppliedBelow = std::map<kafka::TopicPartition, std::int64_t>;
  static bool IsApplied(const Written& one, const AppliedBelow& below) {
    return !one.cut && one.offset < below.at(one.place);
  }
  bool Reads(const kafka::TopicPartition& place) const;
  std::multimap<std::string, server::StoredSms> Stored();
  // As it is stored: what the engine says of it may be a seeded bug's word.
  engine::FeedPosition StoredPosition(const kafka::TopicPartition& place);
  void Check();
  AppliedBelow CheckStops();
  KafkaReport Told();
  std::string Lives();
  std::string OnTopics(const InstanceId& id) const;
  void CheckLetters(const AppliedBelow& below);
  std::map<std::string, Cancel> Cancels(const AppliedBelow& below) const;
  void CheckOne(const Written& one, const AppliedBelow& below,
                const std::multimap<std::string, server::StoredSms>& stored, const std::map<InstanceId, int>& submits,
                Cancel cancel);
  void CheckEnd(const Written& one, delivery::State state, int times);
  void CheckOffsets();
  void Inspect();
  void CheckAnotherFolder();

  const KafkaRunOptions& options_;
  const KafkaHooks& hooks_;
  Disk disk_;
  std::mt19937_64 random_;
  engine::World world_;
  server::ModelBroker broker_;
  KafkaGateway gateway_;
  std::unique_ptr<delivery::ZoneResolver> zones_ = delivery::MakeZoneResolver();
  server::Validation validation_{[] {
                                   server::LimitsConfig limits;
                                   limits.horizon_ms = 0;
                                   return limits;
                                 }(),
                                 zones_.get()};
  std::unique_ptr<server::DeadLetters> letters_;
  std::unique_ptr<server::Outlet> outlet_;
  std::unique_ptr<server::Gateways> gateways_;
  std::unique_ptr<server::Intake> intake_;
  std::vector<Written> written_;
  std::map<kafka::TopicPartition, std::vector<std::uint64_t>> applied_;  // as last seen, by shard
  std::map<kafka::TopicPartition, std::int64_t> cut_;  // below what was read: the lowest offset that is another's now
  std::set<kafka::TopicPartition> deleted_;            // of which something went that not every shard had applied
  int keys_ = 0, step_ = 0;
  std::int64_t looked_ms_ = 0;  // so long the engine has not looked at a topic that was cut off
  std::uint32_t unknown_ = 0;
  bool away_ = false, faults_ = true;
  KafkaReport report_;
};

}  // namespace smsflow::sim
