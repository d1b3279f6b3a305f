#include "gateway/kafka_words.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "crypto/hash.h"

namespace smsflow::gateway {
namespace {

constexpr std::size_t kPartitionsMax = 4096;

Lease LeaseOf(kafka::SendSms sms) {
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

kafka::Outgoing OldStatusOf(const Report& report, std::string_view error_text) {
  auto record = kafka::EncodeStatusSms({.correl_id = report.old.correl_id,
                                        .attempt = {},
                                        .client = report.old.client,
                                        .result = report.result,
                                        .about = About::kNotSaid,
                                        .cause = std::string(error_text),
                                        .at_ms = report.at_ms,
                                        .peer = {}});
  record.headers.clear();  // FAILED has no kinds there
  return record;
}

Asked AskedByOldEngine(const kafka::Record& record, const Served& served, std::int64_t now_ms) {
  auto sms = kafka::DecodeOldSendSms(record.value());
  if (!sms.ok()) return Unread{sms.status()};
  OldName name{std::move(sms->client), std::move(sms->correl_id)};
  const auto& tenants = served.tenants;
  if (std::find(tenants.begin(), tenants.end(), name.client) == tenants.end()) {
    sms->lacks = kafka::ErrorTextOf(Reported::kInvalid, "no_route");
  }
  if (!sms->lacks.empty()) {
    const Report invalid{{}, Reported::kInvalid, About::kNotSaid, "", now_ms, {}, std::move(name)};
    return Refused{OldStatusOf(invalid, sms->lacks)};
  }
  engine::Lease lease;
  lease.attempt = AttemptOf(name.correl_id, {std::string(record.topic()), record.partition()}, record.offset());
  lease.tenant = name.client;
  lease.deadline_ms = sms->deadline_ms;
  lease.payload = std::move(sms->payload);
  return Lease(std::move(lease), std::move(name));
}

}  // namespace

Asked AskedBy(const kafka::Record& record, const Served& served, std::int64_t now_ms) {
  if (served.old_engine && kafka::IsOfOldEngine(record.headers())) return AskedByOldEngine(record, served, now_ms);
  auto sms = kafka::DecodeSendSms(record.value(), record.headers());
  if (!sms.ok()) return Unread{sms.status()};
  // An engine that knows no stores names none; the attempt's id is enough to know it again.
  const bool named = !sms->peer.gateway.empty();
  if (named && sms->peer != served.peer) return ForAnother{sms->attempt};
  if (sms->op == kafka::SendSms::Op::kProbe) return engine::Probe{sms->attempt, sms->deadline_ms};
  return LeaseOf(*std::move(sms));
}

AttemptId AttemptOf(std::string_view correl_id, const kafka::TopicPartition& place, std::int64_t offset) {
  const auto digest =
      crypto::Sha256(absl::StrCat(place.topic, "/", place.partition, "/", offset, "/", std::string(correl_id)));
  const auto number = [&](std::size_t from, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t at = from; at < from + bytes; ++at) value = value << 8 | digest[at];
    return value;
  };
  const ShardId shard{static_cast<std::uint16_t>(number(6, 2) % kShardsMax)};
  return {InstanceId::Make(static_cast<std::int64_t>(number(0, 6)), shard, number(8, 8)), 1};
}

kafka::Outgoing StatusOf(const Report& report, const PeerId& ours) {
  if (!report.old.empty()) return OldStatusOf(report, kafka::ErrorTextOf(report.result, report.cause));
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
