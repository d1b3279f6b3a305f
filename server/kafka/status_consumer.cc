// `sms-status`: what gateways say of attempts, and of themselves.
#include <algorithm>
#include <utility>

#include "server/kafka/work.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server {

namespace delivery = workflows::delivery;

Speakers::Speakers(std::set<std::string> gateways, const std::set<std::string>& tenants,
                   std::optional<PeerId> old_gateway)
    : gateways_(std::move(gateways)), tenants_(tenants.begin(), tenants.end()), old_gateway_(std::move(old_gateway)) {}

std::shared_ptr<const engine::PeerHello> Speakers::Of(const std::optional<PeerId>& peer, std::string client) {
  constexpr std::size_t kStoresMax = 1'000;
  if (peer ? !gateways_.contains(peer->gateway) : !old_gateway_) return nullptr;
  const PeerId& name = peer ? *peer : *old_gateway_;
  const auto hello = [&](std::vector<std::string> tenants) {
    engine::PeerHello made;
    made.peer = name;
    made.tenants = std::move(tenants);
    return std::make_shared<const engine::PeerHello>(std::move(made));
  };
  if (!client.empty()) return hello({std::move(client)});
  if (for_all_.size() >= kStoresMax && !for_all_.contains(name)) for_all_.clear();
  auto& known = for_all_[name];
  if (known == nullptr) known = hello(tenants_);
  return known;
}

Work StatusWork(const Raw& record, Speakers& speakers) {
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
  auto from = speakers.Of(status->peer, std::move(status->client));
  if (from == nullptr) return {NoWork{true}};
  delivery::Report report;
  report.attempt = status->attempt->number;
  report.reported = status->result;
  report.about = status->about;
  report.cause = std::move(status->cause);
  report.at_ms = std::max<std::int64_t>(0, status->at_ms);
  return {engine::FedWork(engine::FedReport{std::move(from), *status->attempt, delivery::EncodeReport(report)})};
}

}  // namespace smsflow::server
