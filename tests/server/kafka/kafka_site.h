// smsflowd on a real broker, as its operator runs it: topics of its own, a data folder of its own, killed and started
// as a test likes; and what is stored, read once it has ended.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/reader.h"
#include "kafka/client.h"
#include "kafka/records.h"
#include "tests/kafka/lasting_producer.h"
#include "workflows/delivery/state.h"

namespace smsflow::server {

class KafkaSite {
 public:
  // `more` is put into its configuration: lines of [kafka] first, then whole sections.
  explicit KafkaSite(std::string broker, std::string kafka_lines = "", std::string sections = "");
  ~KafkaSite();

  void Start();
  void Kill();    // as power would
  void Stop();    // gracefully
  void Forget();  // all that it stored; REQUIRES that it does not run
  std::string File(const std::string& name) const { return folder_ + "/" + name; }
  void Configure(const std::string& kafka_lines, const std::string& sections);

  // Until the broker has it; written again where its death leaves that open, so that it may be there twice.
  void Produce(const std::string& topic, const kafka::Outgoing& record, std::int32_t partition = kafka::kAnyPartition);
  void ProduceAll(const std::string& topic, const std::vector<kafka::Outgoing>& records);
  // Every record of the topic so far, read from its beginning.
  struct Seen {
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::string key, value;
    kafka::Headers headers;
    std::vector<kafka::HeaderView> views() const { return kafka::ViewsOf(headers); }
  };
  std::vector<Seen> All(const std::string& topic);
  // The engine has applied all of the topic; within `seconds`.
  bool Applied(const std::string& topic, int seconds = 60);
  // What it wrote to standard error so far holds `text`; within `seconds`.
  bool Says(const std::string& text, int seconds = 60) const;

  // REQUIRES that it does not run: every SMS by its client key, with its state.
  std::multimap<std::string, workflows::delivery::State> Stored();

  std::string schedule, status, timer, send, dead, events;
  const std::string broker;

 private:
  void WriteConfig() const;
  void AwaitBroker();

  std::string folder_;
  std::string kafka_lines_, sections_;
  pid_t pid_ = -1;
  kafka::LastingProducer producer_;
};

kafka::Outgoing ScheduleRecord(const std::string& key, const std::string& target, const std::string& schedule,
                               const std::string& idempotency_key = "");
// A slot from a few seconds ago to an hour from now, and one that is far ahead.
std::string SlotNow();
std::string SlotFarAhead();

}  // namespace smsflow::server
