// A test's client that writes records, whatever becomes of the broker meanwhile: a broker that is killed may end a
// producer for good, and leaves open what it has; that is written again, by a new one. So a record may stand twice on
// its topic, and not in order, once a broker was killed; before that it does not.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kafka/client.h"

namespace smsflow::kafka {

// Used from one thread.
class LastingProducer {
 public:
  explicit LastingProducer(ClientOptions options);

  void Produce(const std::string& topic, std::int32_t partition, const std::string& key, const std::string& value,
               const Headers& headers);
  // Waits up to `timeout` for the broker's word, and writes again what it did not take.
  void Poll(std::chrono::milliseconds timeout);
  // What the broker is not known to have.
  std::size_t pending() const { return pending_.size(); }
  // Why it did not take the last one that it did not take.
  const absl::Status& refusal() const { return refusal_; }

 private:
  struct Written {
    std::string topic;
    std::int32_t partition = kAnyPartition;
    std::string key, value;
    Headers headers;
  };
  void Write(std::uint64_t tag, const Written& written);
  void OpenProducer();

  const ClientOptions options_;
  std::unique_ptr<Producer> producer_;
  std::map<std::uint64_t, Written> pending_;  // by tag
  std::vector<std::uint64_t> again_;
  std::uint64_t tags_ = 0;
  absl::Status refusal_;
};

}  // namespace smsflow::kafka
