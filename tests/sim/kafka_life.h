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
  KafkaRun(std::uint64_t seed, const KafkaHooks& hooks);
  ~KafkaRun();
  KafkaReport Go(int steps);
  KafkaReport GoThroughAnOutage();

 private:
  // kafka_run.cc
  int Pick(int below) { return static_cast<int>(random_() % static_cast<std::uint64_t>(below)); }
  void Trace(std::uint64_t what) { report_.trace_hash = (report_.trace_hash ^ what) * 1'099'511'628'211ULL; }
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
  void CutOff();
  void Crash();
  void ForgetWhatWasFound();
  void DeleteOld();

  // kafka_checks.cc
  enum class Cancel { kNone, kPerhaps, kApplied };  // is it certain that a cancel of it was applied, or possible?
  bool Reads(const kafka::TopicPartition& place) const;
  std::multimap<std::string, server::StoredSms> Stored();
  void Check();
  std::string Story(const InstanceId& id) const;
  std::map<std::string, Cancel> Cancels(const std::set<kafka::TopicPartition>& stopped) const;
  void CheckOne(const Written& one, const std::set<kafka::TopicPartition>& stopped,
                const std::multimap<std::string, server::StoredSms>& stored, const std::map<InstanceId, int>& submits,
                Cancel cancel);
  void CheckEnd(const Written& one, const InstanceId& id, delivery::State state, int times);
  void CheckOffsets();
  void Inspect();
  void CheckAnotherFolder();

  const KafkaHooks hooks_;
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
  std::set<kafka::TopicPartition> cut_, deleted_;
  int keys_ = 0;
  std::int64_t looked_ms_ = 0;  // so long the engine has not looked at a topic that was cut off
  std::uint32_t unknown_ = 0;
  bool away_ = false, faults_ = true;
  KafkaReport report_;
};

}  // namespace smsflow::sim
