#include "kafka/handles.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <iterator>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace smsflow::kafka {
namespace {

// What smsflow promises rests on these; whoever could set them could take a promise back without knowing.
constexpr std::string_view kOurs[] = {"bootstrap.servers",
                                      "metadata.broker.list",
                                      "client.id",
                                      "group.id",
                                      "group.instance.id",
                                      "enable.idempotence",
                                      "acks",
                                      "request.required.acks",
                                      "message.timeout.ms",
                                      "delivery.timeout.ms",
                                      "transactional.id",
                                      "enable.auto.commit",
                                      "enable.auto.offset.store",
                                      "auto.offset.reset",
                                      "enable.partition.eof",
                                      "isolation.level",
                                      "allow.auto.create.topics",
                                      "message.send.max.retries",
                                      "retries",
                                      "enable.gapless.guarantee",
                                      "builtin.features",
                                      "opaque",
                                      "default_topic_conf"};

constexpr std::size_t kWhyBytes = 512;

void Log(const rd_kafka_t* client, int level, const char* facility, const char* line) {
  constexpr int kWarning = 4, kError = 3, kNotice = 5, kInfo = 6;
  const auto to = level <= kError     ? spdlog::level::err
                  : level <= kWarning ? spdlog::level::warn
                  : level <= kNotice  ? spdlog::level::info
                  : level <= kInfo    ? spdlog::level::info
                                      : spdlog::level::debug;
  spdlog::log(to, "kafka: {}: {}: {}", client == nullptr ? "" : rd_kafka_name(client), facility, line);
}

// "TOPIC [PARTITION]: …", as librdkafka begins what it says of a partition; nullopt: it speaks of something else.
std::optional<TopicPartition> PlaceOf(std::string_view why) {
  const std::size_t open = why.find(" [");
  const std::size_t close = why.find("]: ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  TopicPartition place{std::string(why.substr(0, open)), 0};
  const std::string_view number = why.substr(open + 2, close - open - 2);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), place.partition);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return place;
}

// A fatal one is asked for by Fatal(); what is not of a partition mends itself.
void OnError(rd_kafka_t* client, int error, const char* why, void* news) {
  const auto code = static_cast<rd_kafka_resp_err_t>(error);
  spdlog::warn("kafka: {}: {}: {}", rd_kafka_name(client), rd_kafka_err2name(code), why);
  if (news == nullptr) return;
  if (auto place = PlaceOf(why)) {
    auto status = StatusOf(code, absl::StrCat("read ", NameOf(*place)));
    static_cast<ConsumerNews*>(news)->errors.emplace_back(std::move(*place), std::move(status));
  }
}

void OnCommit(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* offsets, void* news) {
  std::vector<std::pair<Start, bool>> answers;
  for (int at = 0; offsets != nullptr && at < offsets->cnt; ++at) {
    const rd_kafka_topic_partition_t& one = offsets->elems[at];
    const bool is_taken = error == RD_KAFKA_RESP_ERR_NO_ERROR && one.err == RD_KAFKA_RESP_ERR_NO_ERROR;
    answers.push_back({{{one.topic, one.partition}, one.offset}, is_taken});
  }
  static_cast<ConsumerNews*>(news)->commits.Answered(answers, std::chrono::steady_clock::now());
}

// librdkafka repeats the value in its own words, and that may be a password.
absl::Status Set(rd_kafka_conf_t* conf, const std::string& name, const char* value) {
  std::array<char, kWhyBytes> why{};
  switch (rd_kafka_conf_set(conf, name.c_str(), value, why.data(), why.size())) {
    case RD_KAFKA_CONF_OK:
      return absl::OkStatus();
    case RD_KAFKA_CONF_UNKNOWN:
      return absl::InvalidArgumentError(absl::StrCat(name, ": is no property of librdkafka"));
    case RD_KAFKA_CONF_INVALID:
      return absl::InvalidArgumentError(absl::StrCat(name, ": librdkafka does not take this value"));
  }
  return absl::InternalError("librdkafka");
}

absl::Status SetAll(rd_kafka_conf_t* conf, const std::map<std::string, std::string>& properties) {
  std::string wrong;
  for (const auto& [name, value] : properties) {
    const bool ours = std::find(std::begin(kOurs), std::end(kOurs), name) != std::end(kOurs);
    const auto status = ours ? absl::InvalidArgumentError(absl::StrCat(name, ": is set by smsflow itself"))
                             : Set(conf, name, value.c_str());
    if (!status.ok()) absl::StrAppend(&wrong, wrong.empty() ? "" : "; ", std::string(status.message()));
  }
  return wrong.empty() ? absl::OkStatus() : absl::InvalidArgumentError(wrong);
}

absl::StatusCode CodeOf(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR__STATE:
    case RD_KAFKA_RESP_ERR__DESTROY:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
      return absl::StatusCode::kAborted;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return absl::StatusCode::kNotFound;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      return absl::StatusCode::kOutOfRange;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return absl::StatusCode::kPermissionDenied;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return absl::StatusCode::kUnauthenticated;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
      return absl::StatusCode::kResourceExhausted;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return absl::StatusCode::kInvalidArgument;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
      return absl::StatusCode::kAlreadyExists;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return absl::StatusCode::kDeadlineExceeded;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__NODE_UPDATE:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status NoThreads() {
  return absl::ResourceExhaustedError("kafka: out of memory or threads: the system refused more");
}

// That a client is made with: its own, those of its own broker and of the group's, and one for each server.
std::ptrdiff_t ThreadsOf(const rd_kafka_conf_t* conf) {
  constexpr std::ptrdiff_t kWithoutServers = 3;
  std::size_t bytes = 0;
  rd_kafka_conf_get(conf, "bootstrap.servers", nullptr, &bytes);
  std::string servers(bytes, '\0');
  rd_kafka_conf_get(conf, "bootstrap.servers", servers.data(), &bytes);
  return kWithoutServers + 1 + std::ranges::count(servers, ',');
}

// rd_kafka_new that gets no thread (2.0) fails an assertion, or waits for ever for one that it made before and never
// told to stop: then nobody would start the process anew. So as many as it makes are made here, all at once, and given
// back. Other parts of the process may still take them in between.
absl::Status SeeThatThreadsAreGiven(std::ptrdiff_t count) {
  std::latch all_made(1);
  std::vector<std::jthread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  bool given = true;
  try {
    while (std::ssize(threads) < count) threads.emplace_back([&all_made] { all_made.wait(); });
  } catch (const std::exception&) {
    given = false;
  }
  all_made.count_down();
  return given ? absl::OkStatus() : NoThreads();
}

}  // namespace

absl::Status StatusOf(rd_kafka_resp_err_t error, std::string_view doing) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
  return {CodeOf(error), absl::StrCat(std::string(doing), ": ", rd_kafka_err2name(error))};
}

absl::Status CheckProperties(const std::map<std::string, std::string>& properties) {
  const ConfHandle conf(rd_kafka_conf_new());
  return SetAll(conf.get(), properties);
}

absl::Status AddProperties(std::string_view text, std::map<std::string, std::string>& properties) {
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(std::string(text), '\n'))) {
    if (line.empty() || line.front() == '#') continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError("a property of librdkafka must be NAME=VALUE");
    }
    properties[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return absl::OkStatus();
}

absl::StatusOr<ConfHandle> MakeConf(const ClientOptions& options, const Settings& defaults, const Settings& fixed) {
  // Quick to come back once a broker does, and modest in memory.
  static const Settings everywhere = {{"reconnect.backoff.max.ms", "1000"},
                                      {"topic.metadata.refresh.interval.ms", "30000"},
                                      {"topic.metadata.propagation.max.ms", "5000"},
                                      {"socket.nagle.disable", "true"},
                                      {"log.connection.close", "false"}};
  if (options.servers.empty()) return absl::InvalidArgumentError("servers: must be host:port, or several with commas");
  ConfHandle conf(rd_kafka_conf_new());
  absl::Status status;
  for (const auto& [name, value] : everywhere) status.Update(Set(conf.get(), name, value));
  for (const auto& [name, value] : defaults) status.Update(Set(conf.get(), name, value));
  status.Update(SetAll(conf.get(), options.properties));
  for (const auto& [name, value] : fixed) status.Update(Set(conf.get(), name, value));
  status.Update(Set(conf.get(), "bootstrap.servers", options.servers.c_str()));
  status.Update(Set(conf.get(), "client.id", options.name.empty() ? "smsflow" : options.name.c_str()));
  if (!status.ok()) return status;
  rd_kafka_conf_set_log_cb(conf.get(), Log);
  rd_kafka_conf_set_error_cb(conf.get(), OnError);
  return conf;
}

void GatherNews(rd_kafka_conf_t* conf, ConsumerNews* news) {
  rd_kafka_conf_set_opaque(conf, news);
  rd_kafka_conf_set_offset_commit_cb(conf, OnCommit);
}

absl::StatusOr<ClientHandle> MakeClient(rd_kafka_type_t type, ConfHandle conf) {
  static std::mutex one_at_a_time;  // two would each find the same threads to be had
  const std::lock_guard lock(one_at_a_time);
  if (absl::Status threads = SeeThatThreadsAreGiven(ThreadsOf(conf.get())); !threads.ok()) return threads;
  std::array<char, kWhyBytes> why{};
  ClientHandle client(rd_kafka_new(type, conf.get(), why.data(), why.size()));
  if (client == nullptr && rd_kafka_last_error() == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE) return NoThreads();
  // Its words may repeat a property's value.
  if (client == nullptr)
    return absl::InvalidArgumentError("librdkafka refuses the properties: they do not go together");
  static_cast<void>(conf.release());  // the client's now
  return client;
}

PlacesHandle PlacesOf(const std::vector<Start>& starts) {
  PlacesHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(starts.size())));
  for (const Start& start : starts) {
    rd_kafka_topic_partition_list_add(list.get(), start.place.topic.c_str(), start.place.partition)->offset =
        start.offset;
  }
  return list;
}

PlacesHandle PlacesOf(const std::vector<TopicPartition>& places) {
  std::vector<Start> starts;
  for (const TopicPartition& place : places) starts.push_back({place, RD_KAFKA_OFFSET_INVALID});
  return PlacesOf(starts);
}

std::string NameOf(const TopicPartition& place) { return absl::StrCat(place.topic, "[", place.partition, "]"); }

}  // namespace smsflow::kafka
