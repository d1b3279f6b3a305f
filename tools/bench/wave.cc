#include <algorithm>
#include <iostream>
#include <mutex>
#include <utility>

#include "engine/seams.h"
#include "tools/bench/instant_gateway.h"
#include "tools/bench/load.h"
#include "tools/bench/pending.h"
#include "tools/bench/scratch.h"
#include "tools/bench/server_process.h"

namespace smsflow::bench {
namespace {

constexpr std::uint64_t kUsual = 100'000;
constexpr double kArrivalsPerSecond = 1'000;
constexpr double kArrivalSeconds = 15;
// Slow enough a load that a busy machine finishes it before the instant comes.
constexpr std::int64_t kLoadedPerSecond = 4'000;
constexpr std::int64_t kSpareSeconds = 10;

// When each lease came, in milliseconds after the instant.
class Lateness {
 public:
  explicit Lateness(std::int64_t instant_ms) : instant_ms_(instant_ms) {}
  void Note(std::size_t count) {
    const auto late_ms = static_cast<double>(engine::SystemClock().WallMs() - instant_ms_);
    const std::lock_guard lock(mutex_);
    late_ms_.insert(late_ms_.end(), count, late_ms);
  }
  std::vector<double> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(late_ms_, {});
  }

 private:
  const std::int64_t instant_ms_;
  std::mutex mutex_;
  std::vector<double> late_ms_;
};

}  // namespace

absl::StatusOr<Report> RunWave(const Options& options) {
  const std::uint64_t count = options.count != 0 ? options.count : kUsual;
  auto scratch = Scratch::Make(options.folder);
  if (!scratch.ok()) return scratch.status();
  auto server = ServerProcess::Start({scratch->path(), options.partitions});
  if (!server.ok()) return server.status();

  const std::int64_t instant_s =
      engine::SystemClock().WallMs() / 1000 + static_cast<std::int64_t>(count) / kLoadedPerSecond + kSpareSeconds;
  LoadOptions load{(*server)->address(), Door::kBatch, options.profile};
  load.from_s = instant_s;
  load.in_flight = 1'000;
  const auto wave = MakeLoad(load);
  const Slice loaded = wave->RunCount(count);
  if (wave->failures() > 0 || engine::SystemClock().WallMs() / 1000 + 2 >= instant_s)
    return absl::DeadlineExceededError("this machine is too busy: the wave was not stored before it was due");

  Lateness lateness(instant_s * 1000);
  const auto gateway = InstantGateway::Attach(
      {(*server)->address(), {}, [&](const std::vector<AttemptId>& attempts) { lateness.Note(attempts.size()); }});
  load.from_s = 0;
  load.door = Door::kUnary;
  load.lane = 1;
  const auto arrivals = MakeLoad(load);
  const double cpu = (*server)->cpu_s();
  // From two seconds before the instant, and long enough to see the wave's end.
  const double before_s = static_cast<double>(instant_s) - static_cast<double>(engine::SystemClock().WallMs()) / 1000;
  if (before_s > 2) arrivals->RunOpen(before_s - 2, kArrivalsPerSecond);
  std::vector<double> latencies = arrivals->RunOpen(kArrivalSeconds, kArrivalsPerSecond);
  std::vector<double> late_ms = lateness.Take();
  if (late_ms.size() < loaded.count || arrivals->failures() > 0)
    return absl::DeadlineExceededError(std::to_string(late_ms.size()) + " of " + std::to_string(loaded.count) +
                                       " were leased in time, " + std::to_string(arrivals->failures()) +
                                       " arrivals failed");

  Report report;
  report.workload = "wave";
  report.profile = NameOf(options.profile);
  report.count = late_ms.size();
  report.latency_ms = QuantilesOf(latencies);
  report.lateness_ms = QuantilesOf(late_ms);
  report.rate_per_s = static_cast<double>(late_ms.size()) / std::max(late_ms.back(), 1.0) * 1000;
  report.rss_mb = (*server)->rss_mb();
  report.cpu_us_per_sms = ((*server)->cpu_s() - cpu) / static_cast<double>(late_ms.size()) * 1e6;
  std::cerr << "the last one was leased " << late_ms.back() << " ms after the instant\n";
  return report;
}

}  // namespace smsflow::bench
