// The only file that knows prometheus-cpp.
#include "metrics/endpoint.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <exception>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace smsflow::metrics {

namespace {

prometheus::ClientMetric MetricOf(const NamedFigure& figure) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : figure.labels) metric.label.push_back({name, value});
  if (figure.counter) {
    metric.counter.value = figure.value;
  } else {
    metric.gauge.value = figure.value;
  }
  return metric;
}

prometheus::MetricFamily FamilyOf(const NamedHistogram& named) {
  prometheus::MetricFamily family{named.name, named.help, prometheus::MetricType::Histogram, {}};
  prometheus::ClientMetric metric;
  std::uint64_t count = 0;
  const engine::Histogram& histogram = named.histogram;
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    count += histogram.counts[i];
    const double bound = i < histogram.bounds.size() ? histogram.bounds[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({count, bound});
  }
  metric.histogram.sample_count = count;
  metric.histogram.sample_sum = histogram.sum;
  family.metric.push_back(std::move(metric));
  return family;
}

class Collector final : public prometheus::Collectable {
 public:
  explicit Collector(std::function<Figures()> collect) : collect_(std::move(collect)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    const Figures now = collect_();
    std::map<std::string, prometheus::MetricFamily> families;  // figures with labels share one
    for (const NamedFigure& figure : now.figures) {
      prometheus::MetricFamily& family = families[figure.name];
      family.name = figure.name;
      family.help = figure.help;
      family.type = figure.counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
      family.metric.push_back(MetricOf(figure));
    }
    std::vector<prometheus::MetricFamily> all;
    for (auto& [name, family] : families) all.push_back(std::move(family));
    for (const NamedHistogram& histogram : now.histograms) all.push_back(FamilyOf(histogram));
    return all;
  }

 private:
  std::function<Figures()> collect_;
};

class ExposedFigures final : public Endpoint {
 public:
  ExposedFigures(const std::string& address, std::function<Figures()> collect)
      : collector_(std::make_shared<Collector>(std::move(collect))), exposer_(address, /*num_threads=*/1) {
    exposer_.RegisterCollectable(collector_);
  }
  int port() const override {
    const std::vector<int> ports = exposer_.GetListeningPorts();
    return ports.empty() ? 0 : ports.front();
  }

 private:
  std::shared_ptr<Collector> collector_;
  prometheus::Exposer exposer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Endpoint>> Endpoint::Start(std::string_view setting, const std::string& address,
                                                          std::function<Figures()> collect) {
  // The library's HTTP server knows no names of hosts.
  std::string numeric = address;
  if (numeric.rfind("localhost:", 0) == 0) numeric.replace(0, 9, "127.0.0.1");
  try {
    return std::make_unique<ExposedFigures>(numeric, std::move(collect));
  } catch (const std::exception&) {
    return absl::UnavailableError(
        absl::StrCat(std::string(setting), ": cannot listen on ", address, ": is the port taken?"));
  }
}

}  // namespace smsflow::metrics
