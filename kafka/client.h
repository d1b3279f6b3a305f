// Kafka through librdkafka, as plain objects: a Producer, a Consumer of partitions that its owner assigns, an Admin. No
// groups' rebalancing, no transactions: what was applied is known by whoever applied it.
//
// Errors are absl::Status, and their code is their class (see the functions below). They name the topic, the
// partition, the property and Kafka's own word for what is wrong; never a value of a property, of a record or a header.
// librdkafka's own log goes to spdlog under the client's name.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kafka/headers.h"

namespace smsflow::kafka {

// The class of an error:
//   UNAVAILABLE          the broker, or the leader of a partition, is away just now; it goes on by itself
//   ABORTED              fatal: this client is no good any more; destroy it, make another, produce again what was not
//                        acknowledged
//   NOT_FOUND            the topic or the partition does not exist (any more)
//   OUT_OF_RANGE         the offset is not there: deleted by retention, or beyond the end
//   PERMISSION_DENIED, UNAUTHENTICATED   the broker does not let us
//   RESOURCE_EXHAUSTED   the queue of the producer is full; once something was acknowledged there is room. Of a client
//                        that is opened: the system has no threads for it, or no memory
//   INVALID_ARGUMENT     a record that the broker will never take (too large), or a property
//   DEADLINE_EXCEEDED    no answer in the time that was given
//   INTERNAL             anything else
inline bool IsRetriable(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) || absl::IsResourceExhausted(status);
}
inline bool IsFatal(const absl::Status& status) { return absl::IsAborted(status); }
inline bool IsGone(const absl::Status& status) { return absl::IsNotFound(status) || absl::IsOutOfRange(status); }

struct ClientOptions {
  std::string name;     // for logs and the broker's: "engine", "gateway loopback"
  std::string servers;  // host:port,host:port
  // Any property of librdkafka (TLS, SASL, sizes, times), but those that smsflow's promises rest on.
  std::map<std::string, std::string> properties;
};

// INVALID_ARGUMENT: a name that librdkafka does not know, a value that it does not take, or a property that smsflow
// sets itself; one line for each. Connects to nobody.
[[nodiscard]] absl::Status CheckProperties(const std::map<std::string, std::string>& properties);

// Adds what stands in `text`, NAME=VALUE on a line; empty lines and those that begin with # count for nothing.
// INVALID_ARGUMENT: a line that is neither.
[[nodiscard]] absl::Status AddProperties(std::string_view text, std::map<std::string, std::string>& properties);

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};
std::string NameOf(const TopicPartition& place);  // topic[partition]

inline constexpr std::int32_t kAnyPartition = -1;  // by the record's key

// What became of a record.
struct Delivery {
  std::uint64_t tag = 0;
  absl::Status status;  // OK: durable at the broker, as its topic promises
  std::int32_t partition = 0;
  std::int64_t offset = -1;
  // Where the status is an error: the broker may have it nevertheless, for a try before the last one may have been
  // appended and not acknowledged. False: it has not got it.
  bool maybe_there = false;
};

// Idempotent, acks=all, in order per partition, and without a time limit: what was taken is tried until it is
// acknowledged, the topic is gone, or the producer ends. Thread-safe.
class Producer {
 public:
  static absl::StatusOr<std::unique_ptr<Producer>> Open(const ClientOptions& options);
  virtual ~Producer() = default;

  // Copies all of it and does not block. `tag` comes back with the delivery. Not taken where it answers an error:
  // RESOURCE_EXHAUSTED, ABORTED, INVALID_ARGUMENT or NOT_FOUND.
  [[nodiscard]] virtual absl::Status Produce(std::string_view topic, std::int32_t partition, std::string_view key,
                                             std::string_view value, const Headers& headers, std::uint64_t tag) = 0;
  // Waits up to `timeout` for the first delivery, and appends what is there, at most `most`. One thread at a time.
  virtual void Poll(std::chrono::milliseconds timeout, std::size_t most, std::vector<Delivery>& deliveries) = 0;
  // Ends Poll()'s waiting, from any thread.
  virtual void Wake() = 0;
  // Why it is no good any more; OK while it is.
  [[nodiscard]] virtual absl::Status Fatal() const = 0;
  // Taken and not yet told of by Poll().
  virtual std::size_t pending() const = 0;
  // Blocks until nothing is pending, at most `timeout`. Only what Poll() told of is no longer pending, so another
  // thread has to poll meanwhile. Whatever is pending when the producer is destroyed is given up.
  [[nodiscard]] virtual absl::Status Flush(std::chrono::milliseconds timeout) = 0;
};

// A record that was read. Its views live as long as it does; moving it keeps them.
class Record {
 public:
  explicit Record(void* message);
  // One that no broker holds: of a model of one.
  struct Made {
    TopicPartition place;
    std::int64_t offset = 0;
    std::int64_t timestamp_ms = 0;
    std::string key, value;
    Headers headers;
  };
  explicit Record(std::shared_ptr<const Made> made);
  ~Record();
  Record(Record&& other) noexcept;
  Record& operator=(Record&& other) noexcept;
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  std::string_view topic() const;
  std::int32_t partition() const;
  std::int64_t offset() const;
  std::int64_t timestamp_ms() const;  // the producer's clock, or the broker's, as the topic says; 0: none
  std::string_view key() const;
  std::string_view value() const;  // empty where there is none
  std::span<const HeaderView> headers() const { return headers_; }

 private:
  void* message_ = nullptr;
  std::shared_ptr<const Made> made_;  // where there is no message
  std::vector<HeaderView> headers_;
};

inline constexpr std::int64_t kFromBeginning = -2;
inline constexpr std::int64_t kFromEnd = -1;

struct Start {
  TopicPartition place;
  std::int64_t offset = kFromBeginning;
};

struct Polled {
  std::vector<Record> records;  // in order per partition
  // A partition that cannot be read on: OUT_OF_RANGE, NOT_FOUND, PERMISSION_DENIED … An empty topic: of the client.
  std::vector<std::pair<TopicPartition, absl::Status>> errors;
};

// Reads partitions from given offsets. An offset that is not there is an error, never a leap to another one. Used by
// one thread, but for Wake().
class Consumer {
 public:
  // `group` is for Commit() and Committed() alone, which lag tools look at; it is never joined.
  static absl::StatusOr<std::unique_ptr<Consumer>> Open(const ClientOptions& options, const std::string& group);
  virtual ~Consumer() = default;

  // Reads these too from now on. None of them is added when one is read already.
  [[nodiscard]] virtual absl::Status Add(const std::vector<Start>& starts) = 0;
  // Reads these no more: what was fetched of them is dropped, and one that was paused is not when it is added again.
  [[nodiscard]] virtual absl::Status Remove(const std::vector<TopicPartition>& places) = 0;
  // What was fetched of a paused one is dropped and fetched again once it is resumed.
  [[nodiscard]] virtual absl::Status Pause(const std::vector<TopicPartition>& places) = 0;
  [[nodiscard]] virtual absl::Status Resume(const std::vector<TopicPartition>& places) = 0;
  // Waits up to `timeout` for the first record or error, and takes what is there, at most `most`.
  virtual Polled Poll(std::chrono::milliseconds timeout, std::size_t most) = 0;
  virtual void Wake() = 0;
  // Offsets of the next record to be read. Not waited for: sent by this call or a later Poll(), again and again until
  // the broker has taken it or another offset was committed.
  virtual void Commit(const std::vector<Start>& next) = 0;
  // Blocks. nullopt: nothing was ever committed of it.
  virtual absl::StatusOr<std::map<TopicPartition, std::optional<std::int64_t>>> Committed(
      const std::vector<TopicPartition>& places, std::chrono::milliseconds timeout) = 0;
};

struct PartitionInfo {
  std::int32_t partition = 0;
  std::int32_t leader = -1;  // -1: none just now
  std::size_t replicas = 0;
  std::size_t in_sync = 0;
  absl::Status status;
};
struct TopicInfo {
  std::string topic;
  absl::Status status;  // NOT_FOUND: there is no such topic
  std::vector<PartitionInfo> partitions;
};
struct NewTopic {
  std::string topic;
  std::int32_t partitions = 1;
  std::int32_t replicas = -1;  // -1: as the broker says
  std::map<std::string, std::string> configs;
};
struct Watermarks {
  std::int64_t low = 0;   // of the first record that is there
  std::int64_t high = 0;  // of the next one to come
};

// What is asked of the cluster. All calls block, for `timeout` at most. Thread-safe.
class Admin {
 public:
  static absl::StatusOr<std::unique_ptr<Admin>> Open(const ClientOptions& options);
  virtual ~Admin() = default;

  // In the order asked; one that does not exist is told as such, not made.
  virtual absl::StatusOr<std::vector<TopicInfo>> Topics(const std::vector<std::string>& topics,
                                                        std::chrono::milliseconds timeout) = 0;
  virtual absl::StatusOr<std::size_t> Brokers(std::chrono::milliseconds timeout) = 0;
  // ALREADY_EXISTS is no error of the call, but of that topic; one status for each.
  virtual absl::StatusOr<std::vector<absl::Status>> Create(const std::vector<NewTopic>& topics,
                                                           std::chrono::milliseconds timeout) = 0;
  virtual absl::Status Delete(const std::string& topic, std::chrono::milliseconds timeout) = 0;
  // Raises the number of partitions to `partitions`.
  virtual absl::Status AddPartitions(const std::string& topic, std::int32_t partitions,
                                     std::chrono::milliseconds timeout) = 0;
  virtual absl::StatusOr<Watermarks> Ends(const TopicPartition& place, std::chrono::milliseconds timeout) = 0;
  // As the broker applies them, defaults included; secret ones are left out.
  virtual absl::StatusOr<std::map<std::string, std::string>> Configs(const std::string& topic,
                                                                     std::chrono::milliseconds timeout) = 0;
};

}  // namespace smsflow::kafka
