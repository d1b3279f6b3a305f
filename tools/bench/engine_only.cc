#include "tools/bench/engine_only.h"

#include <iostream>

#include "tools/bench/in_process.h"
#include "tools/bench/scratch.h"

namespace smsflow::bench {
namespace {

constexpr std::uint32_t kInFlight = 4096;

double MicrosPer(const Slice& slice) { return slice.cpu_s / static_cast<double>(slice.count) * 1e6; }

}  // namespace

absl::StatusOr<Report> RunEngineOnly(const Options& options, const SmsShape& shape) {
  if (options.workload != "schedule" && options.workload != "life")
    return absl::InvalidArgumentError("--engine-only: goes with --workload schedule and life");
  const Extent extent = options.workload == "life" ? Extent::kLives : Extent::kSchedules;
  auto scratch = Scratch::Make(options.folder);
  if (!scratch.ok()) return scratch.status();
  auto bare = OpenBareStore(*scratch / "bare", shape, extent);
  if (!bare.ok()) return bare.status();
  const std::uint32_t in_flight = options.in_flight != 0 ? options.in_flight : kInFlight;
  auto subject = OpenInProcess(*scratch / "engine", options.profile, extent, in_flight, options.partitions);
  if (!subject.ok()) return subject.status();

  Slice limit, got;
  while (got.seconds < options.seconds) {
    limit += (*bare)->Run(options.slice_s);
    got += (*subject)->Run(options.slice_s);
  }
  const engine::Figures figures = (*subject)->figures();
  if (got.count == 0 || limit.count == 0) return absl::InternalError("nothing was stored");
  std::cerr << "bare loop " << MicrosPer(limit) << " us of CPU each, engine " << MicrosPer(got) << " us; batches of "
            << figures.batch_size.sum / static_cast<double>(figures.batches) << ", "
            << figures.write_ms.sum / static_cast<double>(figures.batches) << " ms a write, "
            << figures.batch_bytes / got.count << " bytes each\n";

  Report report;
  report.workload = options.workload;
  report.profile = NameOf(options.profile);
  report.count = got.count;
  report.rate_per_s = got.rate();
  report.operations_per_sms = static_cast<double>(figures.operations) / static_cast<double>(got.count);
  report.cpu_us_per_sms = MicrosPer(got);
  report.limit_rate_per_s = limit.rate();
  report.share = got.rate() / limit.rate();
  return report;
}

}  // namespace smsflow::bench
