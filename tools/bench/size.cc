#include <algorithm>
#include <iostream>

#include "engine/seams.h"
#include "storage/data_folder.h"
#include "tools/bench/load.h"
#include "tools/bench/pending.h"
#include "tools/bench/scratch.h"
#include "tools/bench/server_process.h"

namespace smsflow::bench {
namespace {

constexpr std::uint64_t kUsual = 1'000'000;
constexpr std::uint64_t kFew = 10'000;
constexpr double kProbeSeconds = 10;  // of loading, to see the rate

// Tables alone, after full compaction; the log is not counted.
absl::StatusOr<double> CompactedBytes(const std::string& folder) {
  storage::DataFolderOptions options;
  options.path = folder;
  options.now_ms = engine::SystemClock().WallMs();
  options.create = false;
  options.ballast_bytes = 0;
  auto data = storage::DataFolder::Open(options);
  if (!data.ok()) return data.status();
  if (absl::Status status = (*data)->Compact(); !status.ok()) return status;
  for (const auto& [name, value] : (*data)->Figures())
    if (name == "live_table_bytes") return static_cast<double>(value);
  return absl::NotFoundError("the store does not tell its size");
}

}  // namespace

absl::StatusOr<Report> RunSize(const Options& options) {
  const std::uint64_t count = options.count != 0 ? options.count : kUsual;
  auto scratch = Scratch::Make(options.folder);
  if (!scratch.ok()) return scratch.status();
  auto server = ServerProcess::Start({scratch->path(), options.partitions});
  if (!server.ok()) return server.status();
  LoadOptions load_options{(*server)->address(), Door::kBatch, options.profile};
  load_options.in_flight = 1'000;
  const auto load = MakeLoad(load_options);

  std::uint64_t stored = load->RunCount(kFew).count;
  const Slice early = load->Run(kProbeSeconds);
  stored += early.count;
  const double early_mb = (*server)->rss_mb();
  const double cpu = (*server)->cpu_s();
  const std::uint64_t before = stored;
  while (stored < count) stored += load->RunCount(std::min<std::uint64_t>(count - stored, 100'000)).count;
  const double full_mb = (*server)->rss_mb();
  const Slice late = load->Run(kProbeSeconds);
  stored += late.count;
  if (load->failures() > 0)
    return absl::InternalError(std::to_string(load->failures()) + " requests failed: " + load->first_failure());

  Report report;
  report.workload = "size";
  report.profile = NameOf(options.profile);
  report.count = stored;
  report.rate_per_s = late.rate();
  report.share = late.rate() / early.rate();
  report.rss_mb = (*server)->rss_mb();
  report.cpu_us_per_sms =
      ((*server)->cpu_s() - cpu) / static_cast<double>(std::max<std::uint64_t>(stored - before, 1)) * 1e6;
  if (absl::Status status = (*server)->Stop(); !status.ok()) return status;
  const auto bytes = CompactedBytes(*scratch / "data");
  if (!bytes.ok()) return bytes.status();
  report.disk_bytes_per_sms = *bytes / static_cast<double>(stored) - static_cast<double>(kPayloadBytes);
  std::cerr << "resident: " << early_mb << " MB with " << before << " pending, " << full_mb << " MB with "
            << std::max(count, before) << "; rate with " << kFew << " pending " << early.rate() << "/s\n";
  return report;
}

}  // namespace smsflow::bench
