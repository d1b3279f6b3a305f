#include "tools/bench/kafka_site.h"

#include <sys/stat.h>

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "crypto/envelope.h"
#include "crypto/keys.h"
#include "engine/seams.h"
#include "tools/bench/part.h"

namespace smsflow::bench {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAsk(30'000);
constexpr char kGatewayName[] = "bench";
constexpr const char* kTopicNames[] = {"bare", "schedule", "timer", "status", "send", "events", "dead"};

std::string ConfigurationOf(const Options& options, const Topics& topics) {
  return absl::StrCat("[kafka]\nservers = \"", options.kafka, "\"\ngroup = \"", topics.prefix,
                      "engine\"\nunsigned = true\ngateways = [\"", kGatewayName, "\"]\nschedule_topic = \"",
                      topics.Of("schedule"), "\"\ntimer_topic = \"", topics.Of("timer"), "\"\nstatus_topic = \"",
                      topics.Of("status"), "\"\nsend_topic = \"", topics.Of("send"), "\"\nevents_topic = \"",
                      topics.Of("events"), "\"\ndead_letter_topic = \"", topics.Of("dead"), "\"\n");
}

}  // namespace

kafka::ClientOptions ClientOf(const Options& options) {
  return {"bench", options.kafka, {{"linger.ms", "5"}, {"queue.buffering.max.messages", "500000"}}};
}

OwnTopics::OwnTopics(std::unique_ptr<kafka::Admin> admin)
    : topics{absl::StrCat("bench-", engine::SystemClock().WallMs(), "-")}, admin_(std::move(admin)) {}

OwnTopics::~OwnTopics() {
  for (const char* name : kTopicNames) admin_->Delete(topics.Of(name), kAsk).IgnoreError();
}

absl::StatusOr<std::unique_ptr<OwnTopics>> OwnTopics::Make(const Options& options) {
  auto admin = kafka::Admin::Open(ClientOf(options));
  if (!admin.ok()) return admin.status();
  std::unique_ptr<OwnTopics> made(new OwnTopics(*std::move(admin)));
  std::vector<kafka::NewTopic> topics;
  for (const char* name : kTopicNames) topics.push_back({made->topics.Of(name), kTopicPartitions, -1, {}});
  const auto created = made->admin_->Create(topics, kAsk);
  if (!created.ok()) return created.status();
  for (const absl::Status& status : *created)
    if (!status.ok()) return status;
  return made;
}

absl::StatusOr<std::unique_ptr<Writer>> Writer::Open(const Options& options) {
  auto producer = kafka::Producer::Open(ClientOf(options));
  if (!producer.ok()) return producer.status();
  return std::unique_ptr<Writer>(new Writer(*std::move(producer)));
}

absl::Status Writer::Write(const std::string& topic, const kafka::Outgoing& record) {
  for (;;) {
    const absl::Status status =
        producer_->Produce(topic, next_++ % kTopicPartitions, "", record.value, record.headers, 1);
    if (status.ok()) break;
    if (!absl::IsResourceExhausted(status)) return status;
    Poll(milliseconds(5));
  }
  if (next_ % 1'000 == 0) Poll(milliseconds(0));
  return why_;
}

absl::Status Writer::Finish() {
  while (producer_->pending() != 0) Poll(milliseconds(20));
  return why_;
}

void Writer::Poll(milliseconds wait) {
  deliveries_.clear();
  producer_->Poll(wait, 100'000, deliveries_);
  for (const kafka::Delivery& delivery : deliveries_) why_.Update(delivery.status);
}

kafka::Outgoing RecordOf(std::uint64_t number, const std::string& payload, std::int64_t from_s) {
  kafka::ScheduleSms sms;
  sms.client = std::string(kTenant);
  sms.target = absl::StrCat("target-", number);
  sms.schedule = absl::StrCat(from_s, "-", from_s + 3'600);
  sms.message = payload;
  return kafka::EncodeScheduleSms(sms);
}

absl::StatusOr<std::unique_ptr<Child>> StartGateway(const Options& options, const Topics& topics,
                                                    const std::string& folder, const std::string& key) {
  return Child::Start({BesideThis("smsflow-gateway"),
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
                       "error"});
}

absl::StatusOr<Envelope> MakeEnvelope(const std::string& folder) {
  const auto key = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
  Envelope made{folder + "/gateway.pem", ""};
  std::ofstream(made.pem) << key.ToPem().Reveal();
  ::chmod(made.pem.c_str(), 0600);
  auto payload = crypto::SealEnvelope(key.public_key(), crypto::EnvelopeSubject(std::string(kTenant), ""),
                                      "To: +255123456789\nSender: Bench\n\nYour visit is on Monday at nine.");
  if (!payload.ok()) return payload.status();
  made.payload = *std::move(payload);
  return made;
}

ServerOptions ServerOptionsOf(const Options& options, const Topics& topics, const std::string& folder) {
  ServerOptions how;
  how.folder = folder;
  how.partitions = options.partitions;
  how.more = ConfigurationOf(options, topics);
  return how;
}

absl::StatusOr<double> Figure(const ServerProcess& server, const std::string& name, const std::string& holds) {
  const auto figures = server.Stats();
  if (!figures.ok()) return figures.status();
  double sum = 0;
  for (const auto& [key, value] : *figures)
    if (absl::StartsWith(key, name) && absl::StrContains(key, holds)) sum += value;
  return sum;
}

absl::Status AwaitGateway(const ServerProcess& server, double patience_s) {
  for (const double began = Now(); Figure(server, "smsflow_peers").value_or(0) < 1;) {
    if (Now() - began > patience_s) return absl::DeadlineExceededError("the gateway did not announce itself");
  }
  return absl::OkStatus();
}

}  // namespace smsflow::bench
