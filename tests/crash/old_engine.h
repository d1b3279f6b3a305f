// An engine as the one that smsflow replaces, over Kafka: writes SMSes in four fields without headers, one correl-id
// for all tries of each, hears words, and tries again what failed. It goes on while gateway and broker die.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "crypto/keys.h"
#include "kafka/client.h"
#include "tests/crash/findings.h"
#include "tests/crash/sms_source.h"

namespace smsflow::crash {

class OldEngine {
 public:
  // `key` and `findings` outlive it.
  OldEngine(std::string brokers, const crypto::PublicKey& key, std::uint64_t seed, Findings& findings);
  ~OldEngine();

  void Start();
  // Nothing more is asked, and the broker has all of it. False: it did not take it within its time.
  bool Stop();

  // What it asked by a correl-id.
  struct Sms {
    std::string text;
    bool served = true;  // by the gateway
    std::int64_t deadline_ms = 0;
    int tries = 0, failures = 0;
  };
  // REQUIRES that it was stopped, as do these.
  const std::map<std::string, Sms>& smses() const { return smses_; }
  // Where a record stands. No offset: sent twice over a broken connection, it is there, and the broker does not say
  // where.
  struct Place {
    std::int32_t partition = 0;
    std::optional<std::int64_t> offset;
  };
  // Every record that the broker acknowledged, by its value, which no other one has.
  const std::map<std::string, Place>& acknowledged() const { return acknowledged_; }
  int remade() const { return remade_; }  // producers

 private:
  void Run();
  void Ask();
  void Try(const std::string& correl_id, Sms& sms);
  void Write(const std::string& value);
  void Poll();
  void Hear();

  const std::string brokers_;
  const SmsSource source_;
  Findings& findings_;
  Random random_;
  std::unique_ptr<kafka::Producer> producer_;
  std::unique_ptr<kafka::Consumer> words_;
  std::map<std::string, Sms> smses_;
  std::vector<std::string> written_;  // values, by tag
  std::map<std::string, Place> acknowledged_;
  int remade_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace smsflow::crash
