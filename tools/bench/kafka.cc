#include "tools/bench/kafka.h"

#include <chrono>
#include <cmath>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/seams.h"
#include "tools/bench/kafka_outage.h"
#include "tools/bench/kafka_site.h"
#include "tools/bench/part.h"
#include "tools/bench/scratch.h"

namespace smsflow::bench {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kUsual = 100'000;  // records applied; a third of it as lives
constexpr double kPatienceS = 240;

// Records per second, from the first that is written until the last is read.
absl::StatusOr<double> BareRate(const Options& options, const std::string& topic, std::uint64_t count) {
  auto writer = Writer::Open(options);
  auto consumer = kafka::Consumer::Open(ClientOf(options), "bench");
  if (!writer.ok()) return writer.status();
  if (!consumer.ok()) return consumer.status();
  std::vector<kafka::Start> starts;
  for (std::int32_t partition = 0; partition < kTopicPartitions; ++partition) starts.push_back({{topic, partition}, 0});
  if (absl::Status status = (*consumer)->Add(starts); !status.ok()) return status;
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
  if (options.outage_s > 0) return RunOutage(options);
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
  const auto envelope = MakeEnvelope(scratch->path());
  if (!envelope.ok()) return envelope.status();
  const std::int64_t now_s = engine::SystemClock().WallMs() / 1'000;
  absl::Status status = WriteMany(options, topics.Of("schedule"), 0, count, envelope->payload, now_s + 864'000);
  if (!status.ok()) return status;
  auto server = ServerProcess::Start(ServerOptionsOf(options, topics, scratch->path()));
  if (!server.ok()) return server.status();
  const auto applied_s = Await(**server, "smsflow_created_total", "", static_cast<double>(count), Now());
  if (!applied_s.ok()) return applied_s.status();

  const auto gateway = StartGateway(options, topics, scratch->path(), envelope->pem);
  if (!gateway.ok()) return gateway.status();
  status = AwaitGateway(**server, kPatienceS);
  if (!status.ok()) return status;
  const double cpu = (*server)->cpu_s(), began = Now();
  status = WriteMany(options, topics.Of("schedule"), count, lives, envelope->payload, now_s - 5);
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
