#include "tools/bench/throughput.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <utility>

#include "tools/bench/bare_store.h"
#include "tools/bench/echo_process.h"
#include "tools/bench/load.h"
#include "tools/bench/scratch.h"
#include "tools/bench/server_process.h"

namespace smsflow::bench {
namespace {

constexpr std::size_t kSyncedBytes = 1024;
constexpr double kSyncSeconds = 1;

LoadOptions LoadOf(const Options& options) {
  LoadOptions load;
  load.profile = options.profile;
  load.lives = load.due_at_once = options.workload == "life";
  const bool batches = options.workload == "batch" || (load.lives && !options.unary);
  load.door = options.workload == "rest"     ? Door::kRest
              : options.workload == "stream" ? Door::kStream
              : batches                      ? Door::kBatch
                                             : Door::kUnary;
  // Enough for full batches of the engine, and no more: what waits longer is only late.
  const std::uint32_t usual = load.lives                  ? 4'000
                              : load.door == Door::kUnary ? 64
                              : load.door == Door::kRest  ? 64
                              : load.door == Door::kBatch ? 1'000
                                                          : 2'000;
  load.in_flight = options.in_flight != 0 ? options.in_flight : usual;
  return load;
}

// What is possible when each SMS passes every part, one after the other.
double LimitOf(const std::vector<Slice>& parts) {
  double sum = 0;
  for (const Slice& part : parts) sum += 1 / part.rate();
  return 1 / sum;
}

}  // namespace

absl::StatusOr<Report> RunThroughput(const Options& options, const SmsShape& shape) {
  auto scratch = Scratch::Make(options.folder);
  if (!scratch.ok()) return scratch.status();
  LoadOptions load = LoadOf(options);
  auto bare = OpenBareStore(*scratch / "bare", shape, load.lives ? Extent::kLives : Extent::kSchedules);
  if (!bare.ok()) return bare.status();
  const auto echo_process = EchoProcess::Start(load.door == Door::kRest ? EchoKind::kRest
                                               : load.lives             ? EchoKind::kHandOver
                                                                        : EchoKind::kCalls);
  if (!echo_process.ok()) return echo_process.status();
  load.address = (*echo_process)->address();
  const auto echo = MakeLoad(load);
  auto server = ServerProcess::Start({scratch->path(), options.partitions});
  if (!server.ok()) return server.status();
  load.address = load.door == Door::kRest ? (*server)->rest_address() : (*server)->address();
  const auto subject = MakeLoad(load);
  const auto sync_ms = MedianSyncMs(scratch->path(), kSyncedBytes, kSyncSeconds);
  if (!sync_ms.ok()) return sync_ms.status();

  // The parts of the limit get a third of each turn, the subject all of it.
  Slice stored, echoed, got;
  while (got.seconds < options.seconds) {
    stored += (*bare)->Run(options.slice_s / 3);
    echoed += echo->Run(options.slice_s / 3);
    const double cpu = (*server)->cpu_s();
    Slice slice = subject->Run(options.slice_s);
    slice.cpu_s = (*server)->cpu_s() - cpu;
    got += slice;
  }
  const auto stats = (*server)->Stats();
  if (!stats.ok()) return stats.status();
  if (got.count == 0 || stored.count == 0 || echoed.count == 0 || subject->failures() + echo->failures() > 0)
    return absl::InternalError(std::to_string(subject->failures()) + " requests failed at smsflowd, " +
                               std::to_string(echo->failures()) + " at the echo, of " + std::to_string(got.count) +
                               ": " + subject->first_failure() + echo->first_failure());

  Report report;
  report.workload = options.workload;
  report.profile = NameOf(options.profile);
  report.count = got.count;
  report.rate_per_s = got.rate();
  report.rss_mb = (*server)->rss_mb();
  report.operations_per_sms = stats->at("smsflow_operations_total") / static_cast<double>(got.count);
  report.cpu_us_per_sms = got.cpu_s / static_cast<double>(got.count) * 1e6;
  report.limit_rate_per_s = LimitOf({stored, echoed});
  report.share = got.rate() / *report.limit_rate_per_s;
  auto latencies = subject->RunOpen(std::max(options.slice_s, options.seconds / 4), got.rate() / 2);
  report.latency_ms = QuantilesOf(latencies);
  std::cerr << "bare store " << stored.rate() << "/s, bare echo " << echoed.rate() << "/s; a sync of " << kSyncedBytes
            << " bytes " << *sync_ms << " ms (median); batches of "
            << stats->at("smsflow_operations_total") / stats->at("smsflow_batches_total") << " operations\n";
  return report;
}

}  // namespace smsflow::bench
