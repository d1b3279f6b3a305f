// What a run is told as: one JSON object with always the same fields, or lines for people. Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace smsflow::bench {

struct Quantiles {
  double p50 = 0, p99 = 0, p999 = 0;
};

// A field that a workload does not measure is null in JSON.
struct Report {
  std::string workload;
  std::string profile;
  std::uint64_t count = 0;
  std::optional<double> rate_per_s;
  std::optional<double> applied_per_s;   // of kafka: records in; its rate is that of whole lives
  std::optional<double> drained_s;       // of an outage: from the broker's return until nothing waits any more
  std::optional<Quantiles> latency_ms;   // open loop: from when it should have been sent
  std::optional<Quantiles> lateness_ms;  // of leases, against when they were due
  std::optional<double> rss_mb;
  std::optional<double> disk_bytes_per_sms;
  std::optional<double> operations_per_sms;
  std::optional<double> cpu_us_per_sms;
  std::optional<double> limit_rate_per_s;
  std::optional<double> share;
  std::optional<double> kannel_rate_per_s;  // of smpp, where Kannel is installed
};

// Sorts `values`. All zero when there are none.
Quantiles QuantilesOf(std::vector<double>& values);

std::string ToJson(const Report& report);
std::string ToText(const Report& report);

// Field by field the median of the runs. REQUIRES at least one, all of one workload and profile.
Report MedianOf(const std::vector<Report>& runs);
// Of what counts most, how far the runs lie apart, as a line for people.
std::string SpreadOf(const std::vector<Report>& runs);

}  // namespace smsflow::bench
