#include "gateway/metrics.h"

#include <utility>

namespace smsflow::gateway {
namespace {

using metrics::Figures;

void OfCore(const CoreFigures& core, Figures& all) {
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
  all.histograms.push_back(
      {"smsflow_gateway_store_sync_seconds", "How long the store took to make a round's changes durable", core.sync});
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

void OfQueue(const CoreFigures& core, Figures& all) {
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

void OfSorter(const SorterFigures& sorter, const CoreFigures& core, Figures& all) {
  all.Gauge("smsflow_gateway_sorting", "Attempts whose envelope is still to be opened to find their route",
            static_cast<double>(core.sorting));
  all.Count("smsflow_gateway_opened_total", "Envelopes that were opened to find their route", sorter.opened);
  all.Count("smsflow_gateway_unreadable_total", "Envelopes that could not be opened, or held no SMS",
            sorter.unreadable);
  all.Count("smsflow_gateway_unroutable_total", "SMSes that no plan or no route takes", sorter.unroutable);
}

void OfSmscs(const std::vector<SmscFigures>& smscs, Figures& all) {
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

void OfInbound(const InboundFigures& inbound, Figures& all) {
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

}  // namespace

Figures ListFigures(const GatewayFigures& now) {
  Figures all;
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
  return all;
}

absl::StatusOr<std::unique_ptr<metrics::Endpoint>> ServeFigures(const std::string& address,
                                                                std::function<GatewayFigures()> collect) {
  const auto colon = address.rfind(':');
  const std::string host = address.substr(0, colon == std::string::npos ? 0 : colon);
  const bool here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
  if (!here || colon + 1 == address.size())
    return absl::InvalidArgumentError("metrics: must be host:port of this machine, as 127.0.0.1:7072");
  return metrics::Endpoint::Start("metrics", address,
                                  [collect = std::move(collect)] { return ListFigures(collect()); });
}

}  // namespace smsflow::gateway
