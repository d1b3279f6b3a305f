// What the runs of the workload kafka stand on: topics of their own, a writer, the engine's configuration, and a
// gateway as a process of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kafka/client.h"
#include "kafka/records.h"
#include "tools/bench/child.h"
#include "tools/bench/options.h"
#include "tools/bench/scratch.h"
#include "tools/bench/server_process.h"

namespace smsflow::bench {

inline constexpr std::int32_t kTopicPartitions = 4;

kafka::ClientOptions ClientOf(const Options& options);

struct Topics {
  std::string prefix;
  std::string Of(const char* what) const { return prefix + what; }
};

// Made for the run, and deleted after it.
class OwnTopics {
 public:
  static absl::StatusOr<std::unique_ptr<OwnTopics>> Make(const Options& options);
  ~OwnTopics();
  const Topics topics;

 private:
  explicit OwnTopics(std::unique_ptr<kafka::Admin> admin);
  const std::unique_ptr<kafka::Admin> admin_;
};

// Writes as fast as the broker takes it. Used by one thread.
class Writer {
 public:
  static absl::StatusOr<std::unique_ptr<Writer>> Open(const Options& options);
  absl::Status Write(const std::string& topic, const kafka::Outgoing& record);
  absl::Status Finish();

 private:
  explicit Writer(std::unique_ptr<kafka::Producer> producer) : producer_(std::move(producer)) {}
  void Poll(std::chrono::milliseconds wait);
  const std::unique_ptr<kafka::Producer> producer_;
  std::vector<kafka::Delivery> deliveries_;
  std::int32_t next_ = 0;
  absl::Status why_;
};

// An SMS of `schedule-sms`, due from `from_s` on for an hour.
kafka::Outgoing RecordOf(std::uint64_t number, const std::string& payload, std::int64_t from_s);

// smsflow-gateway --loopback, with its own durable store.
absl::StatusOr<std::unique_ptr<Child>> StartGateway(const Options& options, const Topics& topics,
                                                    const std::string& folder, const std::string& key);

// The gateway's key in a file, and what is sealed for it.
struct Envelope {
  std::string pem, payload;
};
absl::StatusOr<Envelope> MakeEnvelope(const std::string& folder);

ServerOptions ServerOptionsOf(const Options& options, const Topics& topics, const std::string& folder);
// The sum of the figures whose names begin so and hold that.
absl::StatusOr<double> Figure(const ServerProcess& server, const std::string& name, const std::string& holds = "");
// Until the engine has heard a gateway.
absl::Status AwaitGateway(const ServerProcess& server, double patience_s);

}  // namespace smsflow::bench
