#include "tools/bench/kafka.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "crypto/envelope.h"
#include "crypto/keys.h"
#include "engine/seams.h"
#include "kafka/client.h"
#include "kafka/records.h"
#include "tools/bench/part.h"
#include "tools/bench/scratch.h"
#include "tools/bench/server_process.h"

namespace smsflow::bench {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kUsual = 100'000;  // records applied; a third of it as lives
constexpr std::int32_t kPartitions = 4;
constexpr milliseconds kAsk(30'000);
constexpr double kPatienceS = 240;
constexpr char kGatewayName[] = "bench";

kafka::ClientOptions ClientOf(const Options& options) {
  return {"bench", options.kafka, {{"linger.ms", "5"}, {"queue.buffering.max.messages", "500000"}}};
}

struct Topics {
  std::string prefix = absl::StrCat("bench-", engine::SystemClock().WallMs(), "-");
  std::string Of(const char* what) const { return prefix + what; }
};
constexpr const char* kTopicNames[] = {"bare", "schedule", "timer", "status", "send", "events", "dead"};

// Made for the run, and deleted after it.
class OwnTopics {
 public:
  static absl::StatusOr<std::unique_ptr<OwnTopics>> Make(const Options& options) {
    auto admin = kafka::Admin::Open(ClientOf(options));
    if (!admin.ok()) return admin.status();
    std::unique_ptr<OwnTopics> made(new OwnTopics(*std::move(admin)));
    std::vector<kafka::NewTopic> topics;
    for (const char* name : kTopicNames) topics.push_back({made->topics.Of(name), kPartitions, -1, {}});
    const auto created = made->admin_->Create(topics, kAsk);
    if (!created.ok()) return created.status();
    for (const absl::Status& status : *created)
      if (!status.ok()) return status;
    return made;
  }
  ~OwnTopics() {
    for (const char* name : kTopicNames) admin_->Delete(topics.Of(name), kAsk).IgnoreError();
  }
  const Topics topics;

 private:
  explicit OwnTopics(std::unique_ptr<kafka::Admin> admin) : admin_(std::move(admin)) {}
  const std::unique_ptr<kafka::Admin> admin_;
};

// Writes as fast as the broker takes it.
class Writer {
 public:
  static absl::StatusOr<std::unique_ptr<Writer>> Open(const Options& options) {
    auto producer = kafka::Producer::Open(ClientOf(options));
    if (!producer.ok()) return producer.status();
    return std::unique_ptr<Writer>(new Writer(*std::move(producer)));
  }
  absl::Status Write(const std::string& topic, const kafka::Outgoing& record) {
    for (;;) {
      const absl::Status status = producer_->Produce(topic, next_++ % kPartitions, "", record.value, record.headers, 1);
      if (status.ok()) break;
      if (!absl::IsResourceExhausted(status)) return status;
      Poll(milliseconds(5));
    }
    if (next_ % 1'000 == 0) Poll(milliseconds(0));
    return why_;
  }
  absl::Status Finish() {
    while (producer_->pending() != 0) Poll(milliseconds(20));
    return why_;
  }

 private:
  explicit Writer(std::unique_ptr<kafka::Producer> producer) : producer_(std::move(producer)) {}
  void Poll(milliseconds wait) {
    deliveries_.clear();
    producer_->Poll(wait, 100'000, deliveries_);
    for (const kafka::Delivery& delivery : deliveries_) why_.Update(delivery.status);
  }
  const std::unique_ptr<kafka::Producer> producer_;
  std::vector<kafka::Delivery> deliveries_;
  std::int32_t next_ = 0;
  absl::Status why_;
};

kafka::Outgoing RecordOf(std::uint64_t number, const std::string& payload, std::int64_t from_s) {
  kafka::ScheduleSms sms;
  sms.client = std::string(kTenant);
  sms.target = absl::StrCat("target-", number);
  sms.schedule = absl::StrCat(from_s, "-", from_s + 3'600);
  sms.message = payload;
  return kafka::EncodeScheduleSms(sms);
}

// Records per second, from the first that is written until the last is read.
absl::StatusOr<double> BareRate(const Options& options, const std::string& topic, std::uint64_t count) {
  auto writer = Writer::Open(options);
  auto consumer = kafka::Consumer::Open(ClientOf(options), "bench");
  if (!writer.ok()) return writer.status();
  if (!consumer.ok()) return consumer.status();
  std::vector<kafka::Start> starts;
  for (std::int32_t partition = 0; partition < kPartitions; ++partition) starts.push_back({{topic, partition}, 0});
  if (absl::Status status = (*consumer)->Assign(starts); !status.ok()) return status;
  const double began = Now();
  absl::Status written;
  std::thread writing([&] {
    for (std::uint64_t i = 0; i < count && written.ok(); ++i)
      written = (*writer)->Write(topic, RecordOf(i, std::string(kPayloadBytes, 'x'), 1));
    written.Update((*writer)->Finish());
  });
  std::uint64_t read = 0;
  while (read < count && Now() - began < kPatienceS)
    read += (*consumer)->Poll(milliseconds(100), 10'000).records.size();
  const double seconds = Now() - began;
  writing.join();
  if (!written.ok()) return written;
  if (read < count) return absl::DeadlineExceededError("the broker alone was too slow");
  return static_cast<double>(count) / seconds;
}

absl::StatusOr<double> Figure(const ServerProcess& server, const std::string& name, const std::string& holds = "") {
  const auto figures = server.Stats();
  if (!figures.ok()) return figures.status();
  double sum = 0;
  for (const auto& [key, value] : *figures)
    if (absl::StartsWith(key, name) && absl::StrContains(key, holds)) sum += value;
  return sum;
}

// Seconds until the figure has come so far.
absl::StatusOr<double> Await(const ServerProcess& server, const std::string& name, const std::string& holds,
                             double wanted, double began) {
  for (;;) {
    const double at = Now();
    const auto value = Figure(server, name, holds);
    if (!value.ok()) return value.status();
    if (*value >= wanted) return at - began;
    if (Now() - began > kPatienceS)
      return absl::DeadlineExceededError(absl::StrCat(name, " came only to ", std::llround(*value)));
  }
}

// smsflow-gateway --loopback, as a process of its own, with its own durable store.
class GatewayProcess {
 public:
  GatewayProcess(const Options& options, const Topics& topics, const std::string& folder, const std::string& key) {
    const std::string program =
        (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "smsflow-gateway").string();
    const std::vector<std::string> words = {program,
                                            "--loopback",
                                            "--gateway",
                                            kGatewayName,
                                            "--tenants",
                                            std::string(kTenant),
                                            "--store",
                                            folder + "/gateway",
                                            "--key",
                                            key,
                                            "--kafka",
                                            options.kafka,
                                            "--send-topic",
                                            topics.Of("send"),
                                            "--status-topic",
                                            topics.Of("status"),
                                            "--dead-letter-topic",
                                            topics.Of("dead"),
                                            "--credit",
                                            "5000",
                                            "--normal-delay-ms",
                                            "0",
                                            "--long-delay-ms",
                                            "0",
                                            "--log-level",
                                            "err"};
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::execv(program.c_str(), arguments.data());
    ::_exit(127);
  }
  ~GatewayProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
  }
  GatewayProcess(const GatewayProcess&) = delete;
  GatewayProcess& operator=(const GatewayProcess&) = delete;

 private:
  pid_t pid_ = 0;
};

std::string ConfigurationOf(const Options& options, const Topics& topics) {
  return absl::StrCat("[kafka]\nservers = \"", options.kafka, "\"\ngroup = \"", topics.prefix,
                      "engine\"\nunsigned = true\ngateways = [\"", kGatewayName, "\"]\nschedule_topic = \"",
                      topics.Of("schedule"), "\"\ntimer_topic = \"", topics.Of("timer"), "\"\nstatus_topic = \"",
                      topics.Of("status"), "\"\nsend_topic = \"", topics.Of("send"), "\"\nevents_topic = \"",
                      topics.Of("events"), "\"\ndead_letter_topic = \"", topics.Of("dead"), "\"\n");
}

absl::Status WriteMany(const Options& options, const std::string& topic, std::uint64_t from, std::uint64_t count,
                       const std::string& payload, std::int64_t from_s) {
  auto writer = Writer::Open(options);
  if (!writer.ok()) return writer.status();
  for (std::uint64_t i = 0; i < count; ++i)
    if (absl::Status status = (*writer)->Write(topic, RecordOf(from + i, payload, from_s)); !status.ok()) return status;
  return (*writer)->Finish();
}

}  // namespace

absl::StatusOr<Report> RunKafka(const Options& options) {
  if (options.kafka.empty())
    return absl::InvalidArgumentError(
        "kafka: --kafka HOST:PORT is missing; tools/dev bench starts a broker of its own");
  const std::uint64_t count = options.count != 0 ? options.count : kUsual, lives = count / 3;
  auto scratch = Scratch::Make(options.folder);
  if (!scratch.ok()) return scratch.status();
  auto own = OwnTopics::Make(options);
  if (!own.ok()) return own.status();
  const Topics& topics = (*own)->topics;
  const auto bare = BareRate(options, topics.Of("bare"), count);
  if (!bare.ok()) return bare.status();
  std::cerr << "the broker alone: " << std::llround(*bare) << " records/s produced and consumed\n";

  // Written before it starts, so that it alone is measured.
  const auto key = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  const std::string pem = *scratch / "gateway.pem";
  std::ofstream(pem) << key.ToPem().Reveal();
  ::chmod(pem.c_str(), 0600);
  const auto payload = crypto::SealEnvelope(key.public_key(), crypto::EnvelopeSubject(std::string(kTenant), ""),
                                            "To: +255123456789\nSender: Bench\n\nYour visit is on Monday at nine.");
  if (!payload.ok()) return payload.status();
  const std::int64_t now_s = engine::SystemClock().WallMs() / 1'000;
  absl::Status status = WriteMany(options, topics.Of("schedule"), 0, count, *payload, now_s + 864'000);
  if (!status.ok()) return status;
  ServerOptions how;
  how.folder = scratch->path();
  how.partitions = options.partitions;
  how.more = ConfigurationOf(options, topics);
  auto server = ServerProcess::Start(how);
  if (!server.ok()) return server.status();
  const auto applied_s = Await(**server, "smsflow_created_total", "", static_cast<double>(count), Now());
  if (!applied_s.ok()) return applied_s.status();

  const GatewayProcess gateway(options, topics, scratch->path(), pem);
  for (const double began = Now(); Figure(**server, "smsflow_peers").value_or(0) < 1;) {
    if (Now() - began > kPatienceS) return absl::DeadlineExceededError("the gateway did not announce itself");
  }
  const double cpu = (*server)->cpu_s(), began = Now();
  status = WriteMany(options, topics.Of("schedule"), count, lives, *payload, now_s - 5);
  if (!status.ok()) return status;
  const auto lives_s =
      Await(**server, "smsflow_results_total", "state=\"DELIVERED\"", static_cast<double>(lives), began);
  if (!lives_s.ok()) return lives_s.status();

  Report report;
  report.workload = "kafka";
  report.profile = NameOf(options.profile);
  report.count = count + lives;
  report.applied_per_s = static_cast<double>(count) / *applied_s;
  report.rate_per_s = static_cast<double>(lives) / *lives_s;
  report.limit_rate_per_s = *bare;
  report.share = *report.applied_per_s / *bare;
  report.rss_mb = (*server)->rss_mb();
  report.cpu_us_per_sms = ((*server)->cpu_s() - cpu) / static_cast<double>(lives) * 1e6;
  return report;
}

}  // namespace smsflow::bench
