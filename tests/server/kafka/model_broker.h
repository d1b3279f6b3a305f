// A broker in memory, with the faults that a real one has: it is away, logs are cut off, deleted from their beginning
// or made anew, leaders change, what was read is given once more, and what was taken is told as refused. For tests and
// simulations of whoever reads and writes; a real broker is what proves the clients.
//
// Everything that it makes must not outlive it. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kafka/client.h"
#include "kafka/records.h"

namespace smsflow::server {

class ModelBroker {
 public:
  using Record = kafka::Record::Made;

  void MakeTopic(const std::string& topic, std::int32_t partitions);  // also anew, empty
  void DeleteTopic(const std::string& topic);
  std::int64_t Append(const kafka::TopicPartition& place, const kafka::Outgoing& record, std::int64_t timestamp_ms);
  void Truncate(const kafka::TopicPartition& place, std::int64_t end);  // nothing from here on
  void DeleteBefore(const kafka::TopicPartition& place, std::int64_t low);
  void ChangeLeader(const kafka::TopicPartition& place);
  void SetAway(bool away);
  // The next Poll() of every consumer gives so many records before its position once more.
  void GiveAgain(std::int64_t records);
  std::map<std::int64_t, std::shared_ptr<const Record>> Log(const kafka::TopicPartition& place) const;
  std::int64_t End(const kafka::TopicPartition& place) const;
  std::int64_t CommittedOf(const kafka::TopicPartition& place) const;  // -1: nothing
  std::int64_t GivenOf(const kafka::TopicPartition& place) const;      // no consumer was ever given it, or what follows

  // What a producer says of a record instead of taking it, or after it took it. OK: nothing goes wrong.
  struct Fault {
    absl::Status refuse;   // by Produce()
    absl::Status deliver;  // by Poll(), and it was not taken
    bool taken = false;    // … though it was
  };
  std::function<Fault(const std::string& topic)> fault;  // may be empty; called with the broker's lock
  // Tells of nothing until it is set to false; what was produced is on its way.
  void HoldDeliveries(bool hold);
  void EndProducers();  // each is no good any more

  // Bugs for simulations: not what a consumer of ours does.
  bool leaps = false;              // over an offset that is not there, without a word
  bool forgets_committed = false;  // knows of no group

  std::unique_ptr<kafka::Consumer> MakeConsumer();
  std::unique_ptr<kafka::Producer> MakeProducer();
  kafka::Admin& admin() { return *admin_; }

  ModelBroker();
  ~ModelBroker();

 private:
  class ModelConsumer;
  class ModelProducer;
  class ModelAdmin;
  struct Partition {
    std::int64_t low = 0, end = 0;
    std::int32_t leader = 1;
    std::map<std::int64_t, std::shared_ptr<const Record>> records;
  };
  absl::Status Here(const kafka::TopicPartition& place) const;  // with mutex_

  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::int32_t, Partition>> topics_;
  std::map<kafka::TopicPartition, std::int64_t> committed_, given_;
  bool away_ = false, hold_ = false;
  std::uint64_t producers_ended_ = 0;
  std::uint64_t given_again_ = 0;
  std::int64_t give_again_ = 0;
  std::unique_ptr<kafka::Admin> admin_;
};

}  // namespace smsflow::server
