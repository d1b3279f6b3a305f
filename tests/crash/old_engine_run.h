// Kills gateway and broker at random moments while the gateway serves an engine without attempts of its own, lets all
// of it be read, and holds the gateway to what the broker acknowledged: none lost, no record submitted twice.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gateway/store.h"
#include "tests/crash/findings.h"
#include "tests/crash/moments.h"
#include "tests/crash/old_engine.h"
#include "tests/crash/own_kafka.h"
#include "tests/crash/site.h"
#include "tests/crash/topics.h"
#include "tests/crash/truth.h"

namespace smsflow::crash {

class OldEngineRun {
 public:
  // All outlive it. Used from the main thread, as processes are.
  OldEngineRun(Site& site, OwnKafka& kafka, std::uint64_t seed, Findings& findings);

  // Disturbs so often, and judges.
  void Go(int cycles);
  void Print() const;

 private:
  using Place = std::pair<std::int32_t, std::int64_t>;
  using Heard = std::map<gateway::Reported, int>;  // of an SMS: how often its engine heard each word

  void Disturb();
  void GatewayDies();
  void BrokerDies();
  void KillGateway();
  void KillGatewayWhileItStarts();
  void EndAndStartGateway();
  void KillBroker();
  void KillGatewayBesideNoBroker();
  void StopBroker();
  void Pause(std::int64_t least_ms, std::int64_t most_ms);
  bool AwaitBroker();
  bool AwaitSaid(const std::string& words);
  void EndGateway();
  // Until its gateway has taken up all that stands in the topic, and said what it had to say.
  bool Drain();

  struct Evidence;
  void Judge();
  void JudgeRecord(const TopicRecord& record, Evidence& evidence);
  void JudgeTry(const std::string& name, const OldEngine::Sms& sms, const AttemptId& attempt, Evidence& evidence);
  void JudgeWords(const std::string& correl_id, const OldEngine::Sms& sms, const Heard& heard);

  Site& site_;
  OwnKafka& kafka_;
  Findings& findings_;
  std::mt19937_64 random_;
  OldEngine engine_;
  Moments moments_;
  int gateway_kills_ = 0, broker_kills_ = 0, disturbances_ = 0;
  std::size_t records_ = 0, submits_ = 0, expired_ = 0, refused_ = 0, letters_ = 0, unknown_ = 0, unheard_ = 0;
};

}  // namespace smsflow::crash
