#include "tools/bench/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace smsflow::bench {
namespace {

using Field = std::optional<double> Report::*;
constexpr std::pair<const char*, Field> kFields[] = {
    {"rate_per_s", &Report::rate_per_s},
    {"applied_per_s", &Report::applied_per_s},
    {"drained_s", &Report::drained_s},
    {"rss_mb", &Report::rss_mb},
    {"disk_bytes_per_sms", &Report::disk_bytes_per_sms},
    {"operations_per_sms", &Report::operations_per_sms},
    {"cpu_us_per_sms", &Report::cpu_us_per_sms},
    {"limit_rate_per_s", &Report::limit_rate_per_s},
    {"share", &Report::share},
    {"kannel_rate_per_s", &Report::kannel_rate_per_s},
};

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", std::fabs(value) < 10 ? 3 : std::fabs(value) < 1000 ? 1 : 0, value);
  return text;
}
std::string Number(const std::optional<double>& value) { return value ? Number(*value) : "null"; }

std::string ToJson(const std::optional<Quantiles>& quantiles) {
  if (!quantiles) return "null";
  return "{\"p50\": " + Number(quantiles->p50) + ", \"p99\": " + Number(quantiles->p99) +
         ", \"p999\": " + Number(quantiles->p999) + "}";
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// The median of those runs that measured it.
template <class Get>
std::optional<double> MedianField(const std::vector<Report>& runs, Get get) {
  std::vector<double> values;
  for (const Report& run : runs)
    if (const std::optional<double> value = get(run)) values.push_back(*value);
  if (values.empty()) return std::nullopt;
  return Median(std::move(values));
}

std::optional<Quantiles> MedianQuantiles(const std::vector<Report>& runs, std::optional<Quantiles> Report::*which) {
  const auto of = [&](double Quantiles::*part) {
    return MedianField(runs, [&](const Report& run) -> std::optional<double> {
      return run.*which ? std::optional<double>((*(run.*which)).*part) : std::nullopt;
    });
  };
  const auto p50 = of(&Quantiles::p50);
  if (!p50) return std::nullopt;
  return Quantiles{*p50, *of(&Quantiles::p99), *of(&Quantiles::p999)};
}

}  // namespace

Quantiles QuantilesOf(std::vector<double>& values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const auto index = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
    return values[std::clamp<std::size_t>(index, 1, values.size()) - 1];
  };
  return {at(0.5), at(0.99), at(0.999)};
}

std::string ToJson(const Report& report) {
  std::string json =
      "{\"workload\": \"" + report.workload + "\", \"profile\": \"" + report.profile +
      "\", \"count\": " + std::to_string(report.count) + ", \"rate_per_s\": " + Number(report.rate_per_s) +
      ", \"latency_ms\": " + ToJson(report.latency_ms) + ", \"lateness_ms\": " + ToJson(report.lateness_ms);
  for (const auto& [name, field] : kFields)
    if (field != &Report::rate_per_s) json += std::string(", \"") + name + "\": " + Number(report.*field);
  return json + "}";
}

std::string ToText(const Report& report) {
  std::string text = report.workload + " " + report.profile + ": " + std::to_string(report.count) + " SMSes";
  for (const auto& [name, field] : kFields)
    if (report.*field) text += std::string("; ") + name + " " + Number(report.*field);
  if (report.latency_ms) text += "; latency_ms " + ToJson(report.latency_ms);
  if (report.lateness_ms) text += "; lateness_ms " + ToJson(report.lateness_ms);
  return text;
}

Report MedianOf(const std::vector<Report>& runs) {
  Report median = runs.front();
  std::vector<double> counts;
  for (const Report& run : runs) counts.push_back(static_cast<double>(run.count));
  median.count = static_cast<std::uint64_t>(Median(std::move(counts)));
  for (const auto& [name, field] : kFields)
    median.*field = MedianField(runs, [field = field](const Report& run) { return run.*field; });
  median.latency_ms = MedianQuantiles(runs, &Report::latency_ms);
  median.lateness_ms = MedianQuantiles(runs, &Report::lateness_ms);
  return median;
}

std::string SpreadOf(const std::vector<Report>& runs) {
  std::string text = std::to_string(runs.size()) + " runs";
  for (const auto& [name, field] : kFields) {
    std::vector<double> values;
    for (const Report& run : runs)
      if (run.*field) values.push_back(*(run.*field));
    if (values.empty()) continue;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    text += std::string("; ") + name + " " + Number(*low) + " to " + Number(*high);
  }
  return text;
}

}  // namespace smsflow::bench
