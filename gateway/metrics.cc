#include "gateway/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include <exception>
#include <limits>
#include <utility>

namespace smsflow::gateway {
namespace {

using Labels = std::vector<prometheus::ClientMetric::Label>;

class Families {
 public:
  void Gauge(const char* name, const char* help, double value, Labels labels = {}) {
    Add(name, help, prometheus::MetricType::Gauge, std::move(labels)).gauge.value = value;
  }
  void Count(const char* name, const char* help, std::uint64_t value, Labels labels = {}) {
    Add(name, help, prometheus::MetricType::Counter, std::move(labels)).counter.value = static_cast<double>(value);
  }
  void Times(const char* name, const char* help, const engine::Histogram& times) {
    auto& histogram = Add(name, help, prometheus::MetricType::Histogram, {}).histogram;
    histogram.sample_sum = times.sum;
    for (std::size_t i = 0; i < times.counts.size(); ++i) {
      histogram.sample_count += times.counts[i];
      const bool last = i == times.bounds.size();
      histogram.bucket.push_back(
          {histogram.sample_count, last ? std::numeric_limits<double>::infinity() : times.bounds[i]});
    }
  }
  std::vector<prometheus::MetricFamily> Take() { return std::move(all_); }

 private:
  // Those of one name come one after the other.
  prometheus::ClientMetric& Add(const char* name, const char* help, prometheus::MetricType type, Labels labels) {
    if (all_.empty() || all_.back().name != name) all_.push_back({name, help, type, {}});
    auto& metrics = all_.back().metric;
    metrics.emplace_back();
    metrics.back().label = std::move(labels);
    return metrics.back();
  }

  std::vector<prometheus::MetricFamily> all_;
};

void OfCore(const CoreFigures& core, Families& all) {
  all.Gauge("smsflow_gateway_attached", "1: an engine has this gateway", core.attached);
  all.Count("smsflow_gateway_leases_total", "Attempts that were handed over and decided", core.leases);
  all.Count("smsflow_gateway_leases_repeated_total", "Of these, attempts that were known", core.repeated_leases);
  all.Count("smsflow_gateway_probes_total", "Questions of the engine", core.probes);
  all.Count("smsflow_gateway_submitted_total", "SMSes that were given to a connection", core.submitted);
  all.Count("smsflow_gateway_reports_total", "Words that were told to the engine", core.reports);
  all.Count("smsflow_gateway_reports_not_ours_total", "Words on attempts that the engine does not know as ours",
            core.not_ours);
  all.Gauge("smsflow_gateway_reports_waiting", "Words that have not left for the engine yet",
            static_cast<double>(core.telling));
  all.Gauge("smsflow_gateway_disk_low", "1: new attempts wait for room on the disk", core.low);
  all.Times("smsflow_gateway_store_sync_seconds", "How long the store took to make a round's changes durable",
            core.sync);
  constexpr const char* kStates[] = {"in-doubt", "under-way", "failed", "failed-for-good", "delivered"};
  for (std::size_t i = 0; i < core.heard.size(); ++i)
    all.Count("smsflow_gateway_receipts_total", "Receipts by what they say", core.heard[i], {{"state", kStates[i]}});
  all.Gauge("smsflow_gateway_receipts_parked", "Receipts that wait for the attempt that they are about",
            static_cast<double>(core.receipts.parked));
  all.Count("smsflow_gateway_receipts_ambiguous_total", "Receipts that fitted several attempts when they came",
            core.receipts.ambiguous);
  all.Count("smsflow_gateway_receipts_given_up_total", "Receipts that were parked for too long, or one too many",
            core.receipts.given_up);
}

void OfQueue(const CoreFigures& core, Families& all) {
  constexpr const char* kWords[] = {"code", "transactional", "bulk"};
  for (const RouteFigures& route : core.routes)
    for (std::size_t i = 0; i < kPriorities; ++i)
      all.Gauge("smsflow_gateway_waiting", "Attempts that wait for their turn or a place",
                static_cast<double>(route.waiting[i]), {{"route", route.name}, {"priority", kWords[i]}});
  for (const RouteFigures& route : core.routes)
    if (route.tokens.has_value())
      all.Gauge("smsflow_gateway_tokens_segments", "Segments that may leave over a route at once; below 0: owed",
                static_cast<double>(*route.tokens), {{"route", route.name}});
}

void OfSorter(const SorterFigures& sorter, const CoreFigures& core, Families& all) {
  all.Gauge("smsflow_gateway_sorting", "Attempts whose envelope is still to be opened to find their route",
            static_cast<double>(core.sorting));
  all.Count("smsflow_gateway_opened_total", "Envelopes that were opened to find their route", sorter.opened);
  all.Count("smsflow_gateway_unreadable_total", "Envelopes that could not be opened, or held no SMS",
            sorter.unreadable);
  all.Count("smsflow_gateway_unroutable_total", "SMSes that no plan or no route takes", sorter.unroutable);
}

void OfSmscs(const std::vector<SmscFigures>& smscs, Families& all) {
  const auto gauge = [&](const char* name, const char* help, auto of) {
    for (const SmscFigures& smsc : smscs) all.Gauge(name, help, static_cast<double>(of(smsc)), {{"smsc", smsc.name}});
  };
  const auto count = [&](const char* name, const char* help, std::uint64_t SmscFigures::*of) {
    for (const SmscFigures& smsc : smscs) all.Count(name, help, smsc.*of, {{"smsc", smsc.name}});
  };
  gauge("smsflow_gateway_smsc_bound", "1: it is bound and takes submits", [](const auto& one) { return one.bound; });
  gauge("smsflow_gateway_smsc_window_parts", "Parts that may be without an answer",
        [](const auto& one) { return one.window; });
  gauge("smsflow_gateway_smsc_under_way_parts", "Parts without an answer",
        [](const auto& one) { return one.under_way; });
  count("smsflow_gateway_smsc_submits_total", "Parts that were submitted", &SmscFigures::submitted);
  for (const SmscFigures& smsc : smscs) {
    const auto answers = [&](const char* what, std::uint64_t value) {
      all.Count("smsflow_gateway_smsc_answers_total", "What became of submits", value,
                {{"smsc", smsc.name}, {"answer", what}});
    };
    answers("accepted", smsc.accepted);
    answers("refused", smsc.refused);
    answers("unknown", smsc.unknown);
    answers("expired", smsc.expired);
  }
  count("smsflow_gateway_smsc_late_total", "Answers that came after their part was told as unknown",
        &SmscFigures::late);
  count("smsflow_gateway_smsc_invalid_total", "SMSes that could not be opened, or not be sent there",
        &SmscFigures::invalid);
  count("smsflow_gateway_smsc_throttled_total", "Answers that asked for fewer submits", &SmscFigures::throttled);
  count("smsflow_gateway_smsc_lost_total", "Connections that were lost", &SmscFigures::lost);
  count("smsflow_gateway_smsc_receipts_total", "Receipts that came", &SmscFigures::receipts);
  count("smsflow_gateway_smsc_receipts_unreadable_total", "Receipts that say neither an id nor a state",
        &SmscFigures::unreadable);
  count("smsflow_gateway_smsc_receipts_unmapped_total", "Receipts with a state that nobody mapped",
        &SmscFigures::unmapped);
  count("smsflow_gateway_smsc_inbound_total", "SMSes from phones", &SmscFigures::inbound);
}

void OfInbound(const InboundFigures& inbound, Families& all) {
  all.Count("smsflow_gateway_inbound_received_total", "Parts of SMSes from phones that came", inbound.received);
  all.Count("smsflow_gateway_inbound_repeated_total", "Of these, parts that had come before", inbound.repeated);
  all.Count("smsflow_gateway_inbound_kept_total", "SMSes from phones that became durable", inbound.kept);
  all.Count("smsflow_gateway_inbound_incomplete_total", "Of these, SMSes without some of their parts",
            inbound.incomplete);
  all.Count("smsflow_gateway_inbound_taken_total", "SMSes from phones that were handed on", inbound.taken);
  all.Count("smsflow_gateway_inbound_later_total", "Parts that were refused for want of room", inbound.later);
  all.Count("smsflow_gateway_inbound_unfit_total", "Parts that were refused for good", inbound.unfit);
  all.Gauge("smsflow_gateway_inbound_waiting", "SMSes from phones that wait to be handed on",
            static_cast<double>(inbound.waiting));
  all.Gauge("smsflow_gateway_inbound_parts", "Parts that wait for the rest of their SMS",
            static_cast<double>(inbound.parts));
}

class Collector final : public prometheus::Collectable {
 public:
  explicit Collector(std::function<GatewayFigures()> collect) : collect_(std::move(collect)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    const GatewayFigures now = collect_();
    Families all;
    OfCore(now.core, all);
    OfQueue(now.core, all);
    if (now.sorter.has_value()) OfSorter(*now.sorter, now.core, all);
    OfSmscs(now.smscs, all);
    OfInbound(now.inbound, all);
    if (now.audit.has_value()) {
      all.Count("smsflow_gateway_audit_lines_total", "Lines of the audit log that were written", now.audit->written);
      all.Count("smsflow_gateway_audit_lost_lines_total", "Lines of the audit log that could not be written",
                now.audit->lost);
    }
    return all.Take();
  }

 private:
  const std::function<GatewayFigures()> collect_;
};

class Exposed final : public Metrics {
 public:
  Exposed(const std::string& address, std::function<GatewayFigures()> collect)
      : collector_(std::make_shared<Collector>(std::move(collect))), exposer_(address, /*num_threads=*/1) {
    exposer_.RegisterCollectable(collector_);
  }
  int port() const override { return exposer_.GetListeningPorts().empty() ? 0 : exposer_.GetListeningPorts().front(); }

 private:
  const std::shared_ptr<Collector> collector_;
  prometheus::Exposer exposer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Metrics>> Metrics::Start(const std::string& address,
                                                        std::function<GatewayFigures()> collect) {
  const auto colon = address.rfind(':');
  const std::string host = address.substr(0, colon == std::string::npos ? 0 : colon);
  const bool here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
  if (!here || colon + 1 == address.size())
    return absl::InvalidArgumentError("metrics: must be host:port of this machine, as 127.0.0.1:7072");
  // The library's server knows no names of hosts.
  const std::string numeric = host == "localhost" ? "127.0.0.1" + address.substr(colon) : address;
  try {
    return std::make_unique<Exposed>(numeric, std::move(collect));
  } catch (const std::exception&) {
    return absl::UnavailableError("metrics: cannot listen on " + address + ": is the port taken?");
  }
}

}  // namespace smsflow::gateway
