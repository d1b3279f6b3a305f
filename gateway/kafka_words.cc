#include "gateway/kafka_words.h"

#include <charconv>
#include <set>
#include <utility>

#include "absl/strings/str_split.h"

namespace smsflow::gateway {
namespace {

constexpr std::size_t kPartitionsMax = 4096;

engine::Lease LeaseOf(kafka::SendSms sms) {
  engine::Lease lease;
  lease.attempt = sms.attempt;
  lease.tenant = std::move(sms.client);
  lease.client_key = std::move(sms.client_key);
  lease.lane = std::move(sms.key_id);
  lease.deadline_ms = sms.deadline_ms;
  lease.payload = std::move(sms.payload);
  if (sms.mark.has_value()) {
    lease.mark = {ShardId{sms.mark->shard}, sms.mark->epoch, sms.mark->sequence, std::move(sms.mark->seal)};
  }
  return lease;
}

std::optional<std::int32_t> Number(const std::string& text) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

Asked AskedBy(std::string_view value, std::span<const kafka::HeaderView> headers, const PeerId& ours) {
  auto sms = kafka::DecodeSendSms(value, headers);
  if (!sms.ok()) return Unread{sms.status()};
  // An engine that knows no stores names none; the attempt's id is enough to know it again.
  const bool named = !sms->peer.gateway.empty();
  if (named && sms->peer != ours) return ForAnother{sms->attempt};
  if (sms->op == kafka::SendSms::Op::kProbe) return engine::Probe{sms->attempt, sms->deadline_ms};
  return LeaseOf(*std::move(sms));
}

kafka::Outgoing StatusOf(const Report& report, const PeerId& ours) {
  return kafka::EncodeStatusSms({.correl_id = {},
                                 .attempt = report.attempt,
                                 .client = {},
                                 .result = report.result,
                                 .about = report.about,
                                 .cause = report.cause,
                                 .at_ms = report.at_ms,
                                 .peer = ours});
}

kafka::Announcement AnnouncementOf(const engine::PeerHello& hello, const std::vector<std::int32_t>& partitions,
                                   std::uint32_t credit, std::int64_t now_ms) {
  kafka::Announcement said{.peer = hello.peer,
                           .partitions = partitions,
                           .tenants = hello.tenants,
                           .key_ids = hello.lanes,
                           .credit = credit,
                           .marks = {},
                           .at_ms = now_ms};
  for (const engine::Mark& mark : hello.marks) {
    said.marks.push_back({mark.shard.value, mark.epoch, mark.sequence, mark.seal});
  }
  return said;
}

absl::StatusOr<std::vector<std::int32_t>> ParsePartitions(std::string_view text) {
  const auto wrong =
      absl::InvalidArgumentError("kafka-partitions: must be numbers and ranges like 0-3,7, at most 4096");
  std::set<std::int32_t> found;
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(std::string(text), ','))) {
    const std::vector<std::string> ends = absl::StrSplit(part, '-');
    const auto from = Number(ends.front());
    const auto till = Number(ends.back());
    if (ends.size() > 2 || !from || !till || *from > *till) return wrong;
    if (static_cast<std::size_t>(*till - *from) >= kPartitionsMax) return wrong;
    for (std::int32_t one = *from; one <= *till; ++one) found.insert(one);
    if (found.size() > kPartitionsMax) return wrong;
  }
  return std::vector<std::int32_t>(found.begin(), found.end());
}

}  // namespace smsflow::gateway
