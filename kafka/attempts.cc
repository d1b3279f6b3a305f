// What goes between engine and gateway: `send-sms`, `sms-status`, and announcements.
#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "crypto/base64url.h"
#include "kafka/instant.h"
#include "kafka/json_fields.h"
#include "kafka/payload_text.h"
#include "kafka/records.h"

namespace smsflow::kafka {
namespace {

constexpr std::size_t kCorrelBytesMax = 128;
constexpr std::string_view kCorrelRule = "must be at most 128 bytes";
constexpr std::size_t kPartitionsMax = 4096;
constexpr std::size_t kTenantsMax = 10'000;
constexpr std::int64_t kCreditMax = 1'000'000;
constexpr std::size_t kGatewayBytesMax = 64;
constexpr std::size_t kSealBytesMax = 64;
constexpr std::string_view kAnnounce = "announce", kSend = "send", kProbe = "probe";

struct StatusWord {
  std::string_view word;
  Reported result;
};
// A permanent failure is FAILED with a header.
constexpr StatusWord kStatusWords[] = {
    {"SENT", Reported::kSent},       {"DELIVERED", Reported::kDelivered}, {"FAILED", Reported::kFailedTransient},
    {"INVALID", Reported::kInvalid}, {"EXPIRED", Reported::kExpired},     {"ACCEPTED", Reported::kAccepted},
    {"UNKNOWN", Reported::kUnknown}, {"NEVER_SEEN", Reported::kNeverSeen}};

std::string_view WordOf(Reported result) {
  if (result == Reported::kFailedPermanent) return "FAILED";
  return std::find_if(std::begin(kStatusWords), std::end(kStatusWords),
                      [&](const StatusWord& one) { return one.result == result; })
      ->word;
}

constexpr std::string_view kAboutWords[] = {"", "message", "recipient", "sender", "route"};  // by About

std::optional<std::uint64_t> Number(std::string_view text, std::uint64_t most = UINT64_MAX) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

// The seal's text; nullopt: it cannot be one.
std::optional<std::string> SealOf(std::string_view text) {
  auto seal = crypto::FromBase64Url(text);
  if (!seal.has_value() || seal->size() > kSealBytesMax) return std::nullopt;
  return seal;
}

std::string WithSeal(std::string text, const ShardMark& mark) {
  if (!mark.seal.empty()) absl::StrAppend(&text, ".", crypto::ToBase64Url(mark.seal));
  return text;
}

// SHARD.EPOCH.SEQUENCE[.SEAL]
std::optional<ShardMark> MarkOf(std::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(std::string(text), '.');
  if (parts.size() != 3 && parts.size() != 4) return std::nullopt;
  const auto shard = Number(parts[0], kShardsMax - 1);
  const auto epoch = Number(parts[1]);
  const auto sequence = Number(parts[2]);
  const auto seal = parts.size() == 4 ? SealOf(parts[3]) : std::string();
  if (!shard || !epoch || !sequence || !seal) return std::nullopt;
  return ShardMark{static_cast<std::uint16_t>(*shard), *epoch, *sequence, *seal};
}

// In headers the epoch stands alone: SHARD.SEQUENCE[.SEAL].
std::optional<ShardMark> MarkOf(std::string_view epoch, std::string_view mark) {
  const std::size_t dot = mark.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  return MarkOf(absl::StrCat(std::string(mark.substr(0, dot)), ".", std::string(epoch), std::string(mark.substr(dot))));
}

bool IsGatewayId(std::string_view text) {
  return !text.empty() && text.size() <= kGatewayBytesMax &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
             std::string_view::npos;
}

// 36 characters, 8-4-4-4-12, of any version.
bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
    const bool hex = (text[at] >= '0' && text[at] <= '9') || (text[at] >= 'a' && text[at] <= 'f');
    if (dash ? text[at] != '-' : !hex) return false;
  }
  return true;
}

void CheckPeer(JsonFields& fields, const PeerId& peer, std::string_view gateway_name, std::string_view store_name) {
  if (!IsGatewayId(peer.gateway)) fields.Violate(gateway_name, "must be 1 to 64 characters of A-Z a-z 0-9 . _ -");
  if (!IsUuid(peer.store_uuid)) fields.Violate(store_name, "must be a UUID in lower case");
}

// nullopt: neither header is there.
std::optional<PeerId> PeerOf(JsonFields& fields, std::span<const HeaderView> headers) {
  const auto gateway = FindHeader(headers, kGateway);
  const auto store = FindHeader(headers, kStore);
  if (!gateway.has_value() && !store.has_value()) return std::nullopt;
  PeerId peer{std::string(gateway.value_or("")), std::string(store.value_or(""))};
  CheckPeer(fields, peer, kGateway, kStore);
  return peer;
}

std::string HeaderText(JsonFields& fields, std::span<const HeaderView> headers, std::string_view name) {
  const auto value = FindHeader(headers, name);
  if (!value.has_value()) return {};
  if (value->size() > kHeaderBytesMax) {
    fields.Violate(name, absl::StrCat("must be at most ", kHeaderBytesMax, " bytes"));
    return {};
  }
  return std::string(*value);
}

void AddHeader(Headers& headers, std::string_view name, std::string_view value) {
  if (!value.empty()) headers.push_back({std::string(name), std::string(value)});
}

void ReadPayload(JsonFields& fields, std::span<const HeaderView> headers, SendSms& sms) {
  sms.payload = fields.FullText("payload");
  const auto encoding = FindHeader(headers, kEncoding);
  if (!encoding.has_value() || !fields.ok()) return;
  auto bytes = *encoding == "base64" ? crypto::FromBase64(sms.payload) : std::nullopt;
  if (!bytes.has_value())
    return fields.Violate("payload", "must be encoded as smsflow-encoding says, and that is base64");
  sms.payload = std::move(*bytes);
}

void ReadFailure(JsonFields& fields, std::string_view text, StatusSms& status) {
  const std::size_t semicolon = text.find(';');
  const std::string_view kind = text.substr(0, semicolon);
  const std::string_view about = semicolon == std::string_view::npos ? "" : text.substr(semicolon + 1);
  const auto* const found = std::find(std::begin(kAboutWords), std::end(kAboutWords), about);
  if ((kind != "permanent" && kind != "transient") || found == std::end(kAboutWords)) {
    return fields.Violate(kFailure,
                          "must be permanent or transient, and may add ;message, ;recipient, ;sender or ;route");
  }
  if (kind == "permanent" && status.result == Reported::kFailedTransient) status.result = Reported::kFailedPermanent;
  if (!about.empty()) status.about = static_cast<About>(found - std::begin(kAboutWords));
}

}  // namespace

absl::StatusOr<SendSms> DecodeSendSms(std::string_view value, std::span<const HeaderView> headers) {
  JsonFields fields(value, {"correl-id", "client-id", "deadline", "payload"});
  if (!fields.ok()) return fields.status();
  const auto op = FindHeader(headers, kOp);
  if (IsOfOldEngine(headers)) {
    return absl::FailedPreconditionError(
        "smsflow-op: is missing: the record comes from an engine that does not name its attempts");
  }
  SendSms sms;
  sms.op = *op == kProbe ? SendSms::Op::kProbe : SendSms::Op::kSend;
  if (*op != kSend && *op != kProbe) fields.Violate(kOp, "must be send or probe");
  const std::string correl = fields.FullText("correl-id");
  if (const auto attempt = AttemptId::Parse(correl)) {
    sms.attempt = *attempt;
  } else if (!correl.empty()) {
    fields.Violate("correl-id", "must be the id of an SMS, a dot, and the number of the attempt");
  }
  sms.client = sms.op == SendSms::Op::kProbe ? fields.Text("client-id") : fields.FullText("client-id");
  const std::string deadline = fields.FullText("deadline");
  const auto deadline_ms = ParseInstant(deadline);
  if (!deadline.empty() && !deadline_ms.has_value())
    fields.Violate("deadline", "must be an instant like 2026-01-31T10:00:00Z");
  sms.deadline_ms = deadline_ms.value_or(0);
  if (sms.op == SendSms::Op::kSend) ReadPayload(fields, headers, sms);
  sms.client_key = HeaderText(fields, headers, kClientKey);
  sms.key_id = HeaderText(fields, headers, kKeyId);
  sms.peer = PeerOf(fields, headers).value_or(PeerId{});
  const std::string epoch = HeaderText(fields, headers, kEpoch);
  const std::string mark = HeaderText(fields, headers, kMark);
  if (!epoch.empty() || !mark.empty()) {
    sms.mark = MarkOf(epoch, mark);
    if (!sms.mark.has_value())
      fields.Violate(kMark, "must be SHARD.SEQUENCE or SHARD.SEQUENCE.SEAL, with smsflow-epoch beside it");
  }
  if (!fields.ok()) return fields.status();
  return sms;
}

bool IsOfOldEngine(std::span<const HeaderView> headers) { return !FindHeader(headers, kOp).has_value(); }

absl::StatusOr<OldSendSms> DecodeOldSendSms(std::string_view value) {
  JsonFields fields(value, {"correl-id", "client-id", "deadline", "payload"});
  if (!fields.ok()) return fields.status();
  OldSendSms sms;
  sms.correl_id = fields.FullText("correl-id");
  if (sms.correl_id.size() > kCorrelBytesMax) fields.Violate("correl-id", kCorrelRule);
  sms.client = fields.FullText("client-id");
  const std::string deadline = fields.Text("deadline");
  sms.payload = fields.Text("payload");
  if (!fields.ok()) return fields.status();
  const auto deadline_ms = ParseInstant(deadline);
  sms.deadline_ms = deadline_ms.value_or(0);
  if (sms.payload.empty()) {
    sms.lacks = "Request lacks Payload field";
  } else if (deadline.empty()) {
    sms.lacks = "Request lacks Deadline field";
  } else if (!deadline_ms.has_value()) {
    sms.lacks = "Invalid deadline value";
  }
  return sms;
}

Outgoing EncodeSendSms(const SendSms& sms) {
  Outgoing record;
  record.key = sms.attempt.ToString();
  JsonText json;
  json.Text("correl-id", record.key).Text("client-id", sms.client).Text("deadline", FormatInstant(sms.deadline_ms));
  AddHeader(record.headers, kOp, sms.op == SendSms::Op::kSend ? kSend : kProbe);
  if (sms.op == SendSms::Op::kSend) {
    // What JSON would have to escape becomes base64 too: no payload is then longer than twice what it was.
    const bool text = IsUtf8(sms.payload) && std::none_of(sms.payload.begin(), sms.payload.end(), [](char c) {
                        return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t';
                      });
    json.Text("payload", text ? sms.payload : crypto::ToBase64(sms.payload));
    if (!text) AddHeader(record.headers, kEncoding, "base64");
  }
  record.value = json.Take();
  AddHeader(record.headers, kGateway, sms.peer.gateway);
  AddHeader(record.headers, kStore, sms.peer.store_uuid);
  AddHeader(record.headers, kClientKey, sms.client_key);
  AddHeader(record.headers, kKeyId, sms.key_id);
  if (sms.mark.has_value()) {
    AddHeader(record.headers, kEpoch, absl::StrCat(sms.mark->epoch));
    AddHeader(record.headers, kMark, WithSeal(absl::StrCat(sms.mark->shard, ".", sms.mark->sequence), *sms.mark));
  }
  return record;
}

absl::StatusOr<StatusSms> DecodeStatusSms(std::string_view value, std::span<const HeaderView> headers) {
  JsonFields fields(value, {"client-id", "correl-id", "timestamp", "sms-status", "recall-id", "error-text"});
  if (!fields.ok()) return fields.status();
  StatusSms status;
  status.correl_id = fields.FullText("correl-id");
  if (status.correl_id.size() > kCorrelBytesMax) fields.Violate("correl-id", kCorrelRule);
  status.attempt = AttemptId::Parse(status.correl_id);
  status.client = fields.Text("client-id");
  const std::string word = fields.FullText("sms-status");
  const auto* const found = std::find_if(std::begin(kStatusWords), std::end(kStatusWords),
                                         [&](const StatusWord& one) { return one.word == word; });
  if (found != std::end(kStatusWords)) {
    status.result = found->result;
  } else if (!word.empty()) {
    fields.Violate("sms-status", "must be SENT, DELIVERED, FAILED, INVALID, EXPIRED, ACCEPTED, UNKNOWN or NEVER_SEEN");
  }
  // A gateway's clock decides on nothing, so a receipt is not refused for it.
  status.at_ms = ParseInstant(fields.Text("timestamp")).value_or(0);
  fields.Text("recall-id");
  const Told told = CauseOfErrorText(status.result, fields.Text("error-text"));
  status.cause = told.cause;
  status.about = told.about;
  if (const auto failure = FindHeader(headers, kFailure)) ReadFailure(fields, *failure, status);
  status.peer = PeerOf(fields, headers);
  if (!fields.ok()) return fields.status();
  return status;
}

Outgoing EncodeStatusSms(const StatusSms& status) {
  Outgoing record;
  record.key = status.attempt.has_value() ? status.attempt->ToString() : status.correl_id;
  JsonText json;
  json.Text("client-id", status.client).Text("correl-id", record.key);
  json.Text("timestamp", FormatInstant(status.at_ms - (status.at_ms % 1000 + 1000) % 1000));
  json.Text("sms-status", WordOf(status.result)).Text("error-text", status.cause);
  record.value = json.Take();
  if (status.peer.has_value()) {
    AddHeader(record.headers, kGateway, status.peer->gateway);
    AddHeader(record.headers, kStore, status.peer->store_uuid);
  }
  const bool permanent = status.result == Reported::kFailedPermanent || status.result == Reported::kInvalid;
  const std::string_view about = kAboutWords[static_cast<std::size_t>(status.about)];
  if (permanent || !about.empty()) {
    AddHeader(record.headers, kFailure,
              absl::StrCat(permanent ? "permanent" : "transient", about.empty() ? "" : ";", std::string(about)));
  }
  return record;
}

bool IsAnnouncement(std::span<const HeaderView> headers) { return FindHeader(headers, kOp) == kAnnounce; }

absl::StatusOr<Announcement> DecodeAnnouncement(std::string_view value) {
  JsonFields fields(value,
                    {"gateway", "store", "partitions", "tenants", "key-ids", "credit", "marks", "timestamp", "leaves"});
  if (!fields.ok()) return fields.status();
  Announcement said;
  said.peer = {fields.Text("gateway"), fields.Text("store")};
  CheckPeer(fields, said.peer, "gateway", "store");
  for (const std::int64_t partition : fields.Integers("partitions", 0, INT32_MAX, kPartitionsMax)) {
    said.partitions.push_back(static_cast<std::int32_t>(partition));
  }
  if (said.partitions.empty() || std::adjacent_find(said.partitions.begin(), said.partitions.end(),
                                                    std::greater_equal<>()) != said.partitions.end()) {
    fields.Violate("partitions", "must be one or more, each once, in ascending order");
  }
  said.tenants = fields.Texts("tenants", kTenantsMax);
  if (said.tenants.empty()) fields.Violate("tenants", "must be one or more");
  said.key_ids = fields.Texts("key-ids", kTenantsMax);
  said.credit = static_cast<std::uint32_t>(fields.RequiredInteger("credit", 1, kCreditMax));
  for (const std::string& text : fields.Texts("marks", kShardsMax)) {
    const auto mark = MarkOf(text);
    const bool again = mark.has_value() && std::any_of(said.marks.begin(), said.marks.end(),
                                                       [&](const ShardMark& one) { return one.shard == mark->shard; });
    if (!mark.has_value() || again) {
      fields.Violate("marks", "must be SHARD.EPOCH.SEQUENCE or SHARD.EPOCH.SEQUENCE.SEAL, each shard once");
      break;
    }
    said.marks.push_back(*mark);
  }
  said.at_ms = ParseInstant(fields.Text("timestamp")).value_or(0);
  said.leaves = fields.Flag("leaves");
  if (!fields.ok()) return fields.status();
  return said;
}

Outgoing EncodeAnnouncement(const Announcement& said) {
  std::vector<std::string> marks;
  for (const ShardMark& mark : said.marks) {
    marks.push_back(WithSeal(absl::StrCat(mark.shard, ".", mark.epoch, ".", mark.sequence), mark));
  }
  JsonText json;
  json.Text("gateway", said.peer.gateway).Text("store", said.peer.store_uuid).Integers("partitions", said.partitions);
  json.Texts("tenants", said.tenants).Texts("key-ids", said.key_ids).Integer("credit", said.credit);
  json.Texts("marks", marks).Text("timestamp", FormatInstant(said.at_ms)).Flag("leaves", said.leaves);
  Outgoing record{.key = said.peer.gateway, .value = json.Take(), .headers = {}};
  AddHeader(record.headers, kOp, kAnnounce);
  AddHeader(record.headers, kGateway, said.peer.gateway);
  AddHeader(record.headers, kStore, said.peer.store_uuid);
  return record;
}

}  // namespace smsflow::kafka
