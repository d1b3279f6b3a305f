// The client on Kafka: schedules, cancels and blocks by records, writes what nobody can read, and asks over Kafka for
// what was asked for at the other door; it goes on while engine, gateway and broker die. What the broker acknowledged
// counts as asked for, and is looked for at the end.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "crypto/keys.h"
#include "kafka/client.h"
#include "kafka/records.h"
#include "smsflow/v1/admin.pb.h"
#include "tests/crash/api.h"
#include "tests/crash/book.h"
#include "tests/crash/sms_source.h"

namespace smsflow::crash {

class KafkaLoad {
 public:
  // All outlive it.
  KafkaLoad(Api& api, Book& book, Findings& findings, const crypto::PublicKey& key, std::uint64_t seed,
            std::int64_t longer_s);
  ~KafkaLoad();

  void Start(const std::string& brokers);
  // Nothing more is written, and the broker has all of it. False: it did not take it within its time.
  bool Stop();
  // REQUIRES that it was stopped and that engine and broker run. Waits until the engine has applied every record, then
  // finds the SMS of each one that no name makes known; the rest is found by asking for it again (load.h).
  void Settle();
  // What left besides attempts: a letter for each record that nobody can read and for no other; every transition.
  void Check(const std::map<std::string, v1::GetJournalResponse>& journals);

  struct Figures {
    std::uint64_t records = 0, scheduled = 0, again = 0, commands = 0, poison = 0, unknown = 0, remade = 0, letters = 0,
                  events = 0;
  };
  const Figures& figures() const { return figures_; }

 private:
  using Place = std::pair<std::int32_t, std::int64_t>;  // partition, offset
  // What was written: an SMS, a command, or nothing of the two.
  struct Written {
    Sms* sms = nullptr;
    Stroke* stroke = nullptr;
    bool poison = false;
    Place place{};
    kafka::Outgoing record{};
  };

  void Client();
  void Step();
  void Schedule();
  void AskAgain();
  void Command();
  void Poison();
  void LookNow();
  void Write(Written what);
  void Poll(std::chrono::milliseconds timeout);
  void Take(const kafka::Delivery& delivery);
  // A broker that was killed may not go on with a producer of before: then it is made anew.
  void Mend();
  // Notes what the engine has applied, as the broker knows of its group.
  void NoteApplied();
  bool AllApplied();
  void FindUnnamed();
  std::set<std::string> MissingEvents(const std::map<std::string, v1::GetJournalResponse>& journals);

  Api& api_;
  Book& book_;
  Findings& findings_;
  SmsSource source_;
  Random random_;
  std::string brokers_;
  std::unique_ptr<kafka::Producer> producer_;
  std::unique_ptr<kafka::Consumer> group_;
  std::uint64_t tags_ = 0;
  std::unordered_map<std::uint64_t, Written> leaving_;  // by tag
  std::deque<Written> unapplied_;                       // at the broker
  std::set<Place> poison_;
  std::vector<Written> unknown_;  // nobody can tell whether the broker has it
  std::vector<Sms*> unnamed_;     // without idempotency key: known by their batch alone
  std::size_t unknown_poison_ = 0;
  Figures figures_;
  std::atomic<bool> stopping_{false};
  std::thread client_;
};

}  // namespace smsflow::crash
