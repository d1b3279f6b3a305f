#include "tools/bench/kafka_outage.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/seams.h"
#include "tools/bench/kafka_site.h"
#include "tools/bench/part.h"
#include "tools/bench/scratch.h"

namespace smsflow::bench {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kHalfRate = 250;  // per second, of those scheduled before and of those written as they come due
constexpr std::int64_t kBeforeS = 10, kAfterS = 120, kStartsInS = 15;
constexpr double kPatienceS = 240;
constexpr double kUnderWay = 2 * 2 * kHalfRate;  // SMSes of two seconds are on their way at any time
constexpr milliseconds kLook(100);

absl::Status Run(const char* what, const std::string& command) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): one at a time
  if (std::system(command.c_str()) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(what, ": the command failed"));
}

double WallS() { return static_cast<double>(engine::SystemClock().WallMs()) / 1'000; }

// Writes SMSes that are due now, so many a second from `from_s` on.
class LiveLoad {
 public:
  LiveLoad(Writer& writer, std::string topic, std::string payload, std::uint64_t first, std::int64_t from_s)
      : thread_([this, &writer, topic = std::move(topic), payload = std::move(payload), first, from_s] {
          while (!stopping_) {
            const auto due =
                static_cast<std::uint64_t>(std::max(0.0, WallS() - static_cast<double>(from_s)) * kHalfRate);
            for (; written_ < due && status_.ok(); ++written_)
              status_ = writer.Write(topic, RecordOf(first + written_, payload, static_cast<std::int64_t>(WallS())));
            std::this_thread::sleep_for(milliseconds(10));
          }
          status_.Update(writer.Finish());
        }) {}
  ~LiveLoad() { Stop(); }
  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::uint64_t written() const { return written_; }
  // After Stop().
  const absl::Status& status() const { return status_; }

 private:
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> written_{0};
  absl::Status status_;
  std::thread thread_;  // last: it uses the others
};

// Seconds until as many are delivered as are due.
absl::StatusOr<double> AwaitDelivered(const ServerProcess& server, const std::function<double()>& due) {
  for (const double began = Now();;) {
    const auto delivered = Figure(server, "smsflow_results_total", "state=\"DELIVERED\"");
    if (!delivered.ok()) return delivered.status();
    if (*delivered >= due()) return Now() - began;
    if (Now() - began > kPatienceS) {
      return absl::DeadlineExceededError(
          absl::StrCat("only ", std::llround(*delivered), " of ", std::llround(due()), " are delivered"));
    }
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

absl::StatusOr<Report> RunOutage(const Options& options) {
  if (options.kafka_down.empty() || options.kafka_up.empty())
    return absl::InvalidArgumentError(
        "outage: wants --kafka-down and --kafka-up; tools/dev bench has a broker of its own");
  auto scratch = Scratch::Make(options.folder);
  if (!scratch.ok()) return scratch.status();
  auto own = OwnTopics::Make(options);
  if (!own.ok()) return own.status();
  const Topics& topics = (*own)->topics;
  const auto envelope = MakeEnvelope(scratch->path());
  if (!envelope.ok()) return envelope.status();
  auto server = ServerProcess::Start(ServerOptionsOf(options, topics, scratch->path()));
  if (!server.ok()) return server.status();
  const auto gateway = StartGateway(options, topics, scratch->path(), envelope->pem);
  if (!gateway.ok()) return gateway.status();
  if (auto status = AwaitGateway(**server, kPatienceS); !status.ok()) return status;
  auto writer = Writer::Open(options);
  if (!writer.ok()) return writer.status();

  const std::int64_t from_s = static_cast<std::int64_t>(WallS()) + kStartsInS;
  const std::int64_t till_s = from_s + kBeforeS + std::llround(options.outage_s) + kAfterS;
  const auto ahead = static_cast<std::uint64_t>((till_s - from_s) * kHalfRate);
  for (std::uint64_t i = 0; i < ahead; ++i) {
    const auto due_s = from_s + static_cast<std::int64_t>(i) / kHalfRate;
    if (auto status = (*writer)->Write(topics.Of("schedule"), RecordOf(i, envelope->payload, due_s)); !status.ok())
      return status;
  }
  if (auto status = (*writer)->Finish(); !status.ok()) return status;
  if (WallS() > static_cast<double>(from_s))
    return absl::DeadlineExceededError("outage: this machine is too slow for it");
  LiveLoad live(**writer, topics.Of("schedule"), envelope->payload, ahead, from_s);
  const auto due = [&] {
    const double passed = std::clamp(WallS() - static_cast<double>(from_s), 0.0, static_cast<double>(till_s - from_s));
    return passed * kHalfRate + static_cast<double>(live.written());
  };
  const auto nearly_all = [&] { return due() - kUnderWay; };
  const auto wait_until = [&](std::int64_t wall_s) {
    std::this_thread::sleep_for(milliseconds(std::llround((static_cast<double>(wall_s) - WallS()) * 1'000)));
  };

  wait_until(from_s + kBeforeS);
  const auto settled = AwaitDelivered(**server, nearly_all);
  if (!settled.ok()) return settled.status();
  std::cerr << "500 SMSes/s run; the broker is killed for " << options.outage_s << " s\n";
  if (auto status = Run("kafka-down", options.kafka_down); !status.ok()) return status;
  std::this_thread::sleep_for(milliseconds(std::llround(options.outage_s * 1'000)));
  if (auto status = Run("kafka-up", options.kafka_up); !status.ok()) return status;
  const double backlog = due() - Figure(**server, "smsflow_results_total", "state=\"DELIVERED\"").value_or(0);
  const auto drained_s = AwaitDelivered(**server, nearly_all);
  if (!drained_s.ok()) return drained_s.status();
  std::cerr << std::llround(backlog) << " SMSes waited when it was back; drained after " << *drained_s << " s\n";

  live.Stop();
  if (!live.status().ok()) return live.status();
  const double all = static_cast<double>(ahead + live.written());
  wait_until(till_s);
  const auto whole = AwaitDelivered(**server, [all] { return all; });
  if (!whole.ok()) return whole.status();
  Report report;
  report.workload = "kafka-outage";
  report.profile = NameOf(options.profile);
  report.count = static_cast<std::uint64_t>(all);
  report.rate_per_s = 2 * kHalfRate;
  report.drained_s = *drained_s;
  report.rss_mb = (*server)->rss_mb();
  return report;
}

}  // namespace smsflow::bench
