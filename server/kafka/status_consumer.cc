// `sms-status`: what gateways say of attempts, and of themselves.
#include <algorithm>
#include <utility>

#include "server/kafka/work.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server {

namespace delivery = workflows::delivery;

Work StatusWork(const Raw& record, const std::set<std::string>& tenants, const std::set<std::string>& gateways,
                const PeerId* old_gateway) {
  const auto dead = [](const absl::Status& why) {
    return Work{engine::FedWork(engine::DeadLetter{std::string(why.message())})};
  };
  if (kafka::IsAnnouncement(record.headers)) {
    auto announcement = kafka::DecodeAnnouncement(record.value);
    if (!announcement.ok()) return dead(announcement.status());
    return {*std::move(announcement)};
  }
  auto status = kafka::DecodeStatusSms(record.value, record.headers);
  if (!status.ok()) return dead(status.status());
  // The topic may be shared with an engine of before, whose correl-ids are no attempts of ours.
  if (!status->attempt) return {NoWork{true}};
  if (status->peer ? !gateways.contains(status->peer->gateway) : old_gateway == nullptr) return {NoWork{true}};

  auto from = std::make_shared<engine::PeerHello>();
  from->peer = status->peer ? *std::move(status->peer) : *old_gateway;
  // Whoever names a tenant speaks for that one alone; the engine compares it with the SMS's own.
  if (status->client.empty()) {
    from->tenants.assign(tenants.begin(), tenants.end());
  } else {
    from->tenants.push_back(std::move(status->client));
  }
  delivery::Report report;
  report.attempt = status->attempt->number;
  report.reported = status->result;
  report.about = status->about;
  report.cause = std::move(status->cause);
  report.at_ms = std::max<std::int64_t>(0, status->at_ms);
  return {engine::FedWork(engine::FedReport{std::move(from), *status->attempt, delivery::EncodeReport(report)})};
}

}  // namespace smsflow::server
