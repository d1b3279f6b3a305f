#include "gateway/inbound.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/base64url.h"
#include "crypto/envelope.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "smpp/codec.h"
#include "smpp/wiped.h"

namespace smsflow::gateway {
namespace {

using crypto::Digest16;
using smpp::CommandStatus;

constexpr std::int64_t kLook_ms = 1'000;
constexpr std::int64_t kExpireEvery_ms = 60'000;
constexpr std::size_t kUnderWayMax = 1'000;  // at the sink
constexpr std::uint8_t kTotalMax = 32;       // parts of one: more would not fit into an envelope
constexpr std::size_t kPartOctetsMax = 160;  // of a part: it came out of one short message
constexpr std::size_t kFrameBytesMax = 8'192;
constexpr std::size_t kTextBytesMax = 11'000;  // of UTF-8 or base64
constexpr std::uint8_t kTonInternational = 1;
constexpr std::int64_t kAgainLeast_ms = 5'000;  // no SMSC gives up waiting for an answer sooner
// What waits here is sealed for this gateway and for nothing that a client could have sealed.
constexpr std::string_view kPartTenant = "smsflow-gateway";
constexpr std::string_view kPartKey = "inbound-part";
constexpr std::size_t kHeadBytes = 128;  // the header lines of most SMSes
constexpr char kEnd = '.';               // an envelope must not end in a zero byte, and a PDU may

std::string DigestKeyOf(const crypto::PrivateKey& own) {
  const crypto::Secret pem = own.ToPem();
  return std::string(crypto::AsView(crypto::Sha256(std::string_view("smsflow inbound\n"), pem.Reveal())));
}

// As a header shows it: a number in its international form has a plus sign, and nothing ends the line.
void AppendShown(smpp::WipedBytes& out, const smpp::Address& address) {
  if (address.ton == kTonInternational && !address.digits.starts_with('+')) out += '+';
  for (const char c : address.digits) out += c > ' ' && c <= '~' ? c : '?';
}

bool Matches(std::string_view pattern, std::string_view digits) {
  if (pattern.ends_with('*')) return digits.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == digits;
}

// What the parts of one say together; false: it is no text.
bool Join(const std::vector<std::pair<std::uint8_t, std::string_view>>& parts, smpp::WipedBytes& joined) {
  auto octets = smpp::ToBeWiped<smpp::WipedBytes>(0);
  bool one_coding = true;
  for (const auto& [coding, part] : parts) {
    octets.append(part);
    one_coding = one_coding && coding == parts.front().first;
  }
  bool is_text = true;
  const auto append = [&](std::uint8_t coding, std::string_view part) {
    auto decoded = smpp::DecodeText(coding, part);
    is_text = is_text && decoded.has_value();
    if (!decoded) return;
    joined.append(*decoded);
    smpp::Wipe(*decoded);
  };
  // Whoever cut them may have cut a character: so they are put together first.
  if (one_coding) {
    append(parts.front().first, octets);
  } else {
    for (const auto& [coding, part] : parts) append(coding, part);
  }
  if (!is_text) joined = octets;
  return is_text;
}

}  // namespace

// Views into `frame`.
struct Inbound::Message {
  std::string_view account;
  smpp::Address source, destination;
  std::uint8_t data_coding = 0;
  std::string_view user_data, text;
  std::optional<smpp::Concatenation> part;

  // nullopt for what has no user data that can be read.
  static std::optional<Message> From(std::string_view account, std::string_view frame);
};

std::optional<Inbound::Message> Inbound::Message::From(std::string_view account, std::string_view frame) {
  smpp::Refusal why;
  const auto pdu = smpp::Decode(frame, why);
  if (!pdu.ok()) return std::nullopt;
  Message message;
  message.account = account;
  std::uint8_t esm_class = 0;
  if (const auto* sm = std::get_if<smpp::Sm>(&pdu->body)) {
    message.source = sm->source;
    message.destination = sm->destination;
    message.data_coding = sm->data_coding;
    esm_class = sm->esm_class;
    message.user_data = smpp::UserDataOf(*sm, pdu->tlvs);
  } else if (const auto* data = std::get_if<smpp::DataSm>(&pdu->body)) {
    message.source = data->source;
    message.destination = data->destination;
    message.data_coding = data->data_coding;
    esm_class = data->esm_class;
    message.user_data = pdu->tlvs.Find(smpp::Tag::kMessagePayload).value_or(std::string_view());
  } else {
    return std::nullopt;
  }
  message.text = message.user_data;
  message.part = smpp::ReadSar(pdu->tlvs);
  if ((esm_class & smpp::kEsmUdhi) != 0) {
    const auto read = smpp::ReadUserData(message.user_data);
    if (!read.ok()) return std::nullopt;
    message.text = read->text;
    message.part = read->part;
  }
  if (message.part && message.part->total == 1) message.part.reset();
  return message;
}

Inbound::Inbound(InboundOptions options, storage::Store& rows, InboundSink& sink, const crypto::PrivateKey& own,
                 std::shared_ptr<const crypto::Vault> vault, const AgreedClock& clock, NoticeHandler notice,
                 std::function<bool()> low, std::function<void(const absl::Status&)> fatal)
    : options_(std::move(options)),
      sink_(sink),
      own_(own),
      vault_(std::move(vault)),
      clock_(clock),
      notice_(std::move(notice)),
      low_(std::move(low)),
      fatal_(std::move(fatal)),
      digest_key_(DigestKeyOf(own)),
      store_(rows) {
  for (const InboundRoute& route : options_.routes) repeat_ms_ = std::max(repeat_ms_, route.repeat_ms);
}

Inbound::~Inbound() { Stop(); }

absl::Status Inbound::Load() {
  const auto counts = store_.Counts();
  if (!counts.ok()) return counts.status();
  waiting_ = counts->size();
  last_ = counts->empty() ? 0 : counts->back();
  auto seen = store_.Seen();
  if (!seen.ok()) return seen.status();
  for (auto& [digest, one] : *seen) {
    seen_order_.emplace(one.at_ms, digest);
    seen_.emplace(digest, one);
  }
  auto parts = store_.Parts();
  if (!parts.ok()) return parts.status();
  for (InboundPartRow& part : *parts) {
    Group& group = groups_[part.name];
    group.account = part.account;
    group.total = part.total;
    group.first_ms = group.parts.empty() ? part.at_ms : std::min(group.first_ms, part.at_ms);
    parts_ += group.parts.emplace(part.number, std::move(part.sealed)).second ? 1 : 0;
  }
  return absl::OkStatus();
}

void Inbound::Start() {
  sink_.Start([this](std::vector<std::string> ids) { OnTaken(std::move(ids)); });
  thread_ = std::thread([this] { Loop(); });
}

void Inbound::OnTaken(std::vector<std::string> ids) {
  {
    const std::lock_guard lock(mutex_);
    taken_.insert(taken_.end(), std::make_move_iterator(ids.begin()), std::make_move_iterator(ids.end()));
  }
  wake_.notify_one();
}

void Inbound::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  sink_.Stop();
}

void Inbound::Loop() {
  for (;;) {
    RunOnce();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::milliseconds(kLook_ms),
                   [this] { return stopping_ || !deliveries_.empty() || !taken_.empty(); });
    if (stopping_) return;
  }
}

const InboundRoute* Inbound::RouteOf(std::string_view account, std::string_view destination) const {
  if (destination.starts_with('+')) destination.remove_prefix(1);
  for (const InboundRoute& route : options_.routes) {
    if (route.account != account) continue;
    for (const std::string& number : route.numbers) {
      if (Matches(number, destination)) return &route;
    }
  }
  return nullptr;
}

bool Inbound::Takes(std::string_view account, std::string_view destination) const {
  return RouteOf(account, destination) != nullptr;
}

void Inbound::Take(InboundDelivery delivery) {
  {
    const std::lock_guard lock(mutex_);
    ++figures_.received;
    deliveries_.push_back(std::move(delivery));
  }
  wake_.notify_one();
}

void Inbound::RunOnce() {
  std::vector<InboundDelivery> deliveries;
  std::vector<std::string> taken;
  {
    const std::lock_guard lock(mutex_);
    deliveries.swap(deliveries_);
    taken.swap(taken_);
  }
  std::vector<CommandStatus> answers;
  for (InboundDelivery& delivery : deliveries) {
    answers.push_back(Decide(delivery));
    smpp::Wipe(delivery.frame);
  }
  Forget(taken);
  Expire(clock_.WallMs());
  Require(store_.Commit());
  for (std::size_t i = 0; i < deliveries.size(); ++i) deliveries[i].answer(answers[i]);
  TellOn();
  const std::lock_guard lock(mutex_);
  figures_.waiting = waiting_;
  figures_.parts = parts_;
  figures_.taken += taken.size();
}

// What an SMSC sends again is the same, octet for octet.
Digest16 Inbound::DigestOf(const Message& message, bool with_text) const {
  const smpp::Concatenation part = message.part.value_or(smpp::Concatenation{});
  const std::string numbers = absl::StrCat(message.account.size(), ".", message.source.digits.size(), ".",
                                           message.destination.digits.size(), ".", part.reference, ".", part.total, ".",
                                           with_text ? part.number : 0, ".", with_text ? message.data_coding : 0, ".");
  return crypto::Cut(digest_key_.Mac({numbers, message.account, message.source.digits, message.destination.digits,
                                      with_text ? message.user_data : std::string_view()}));
}

bool Inbound::IsRepeated(const Digest16& digest, const InboundDelivery& delivery, const InboundRoute& route) const {
  const auto found = seen_.find(digest);
  if (found == seen_.end()) return false;
  const InboundSeen& seen = found->second;
  const std::int64_t after_ms = delivery.at_ms - seen.at_ms;
  if (after_ms > route.repeat_ms) return false;
  return seen.session != delivery.session || (after_ms >= kAgainLeast_ms && delivery.at_ms <= seen.answered_ms);
}

CommandStatus Inbound::Decide(const InboundDelivery& delivery) {
  const auto count = [this](std::uint64_t InboundFigures::*what) {
    const std::lock_guard lock(mutex_);
    ++(figures_.*what);
  };
  const auto message = Message::From(delivery.account, delivery.frame);
  const InboundRoute* route = message ? RouteOf(delivery.account, message->destination.digits) : nullptr;
  // Of parts that are longer than one can be, no envelope might hold the whole.
  const bool endless =
      message && message->part && (message->part->total > kTotalMax || message->text.size() > kPartOctetsMax);
  if (route == nullptr || endless || delivery.frame.size() > kFrameBytesMax) {
    count(&InboundFigures::unfit);
    return CommandStatus::kReceiverPermanentError;
  }
  const Digest16 digest = DigestOf(*message, /*with_text=*/true);
  if (IsRepeated(digest, delivery, *route)) {
    count(&InboundFigures::repeated);
    return CommandStatus::kOk;
  }
  if (waiting_ >= options_.waiting_max || parts_ >= options_.parts_max || low_()) {
    count(&InboundFigures::later);
    return CommandStatus::kReceiverTemporaryError;
  }
  CommandStatus answer = CommandStatus::kOk;
  if (message->part) {
    answer = DecidePart(*message, *message->part, delivery);
  } else {
    auto text = smpp::ToBeWiped<smpp::WipedBytes>(0);
    const bool is_text = Join({{message->data_coding, message->text}}, text);
    const auto status = Keep(*route, *message, {}, text, is_text, delivery.at_ms);
    if (!status.ok()) answer = CommandStatus::kReceiverPermanentError;
  }
  if (answer != CommandStatus::kOk) {
    count(&InboundFigures::unfit);
  } else {
    Remember(digest, delivery);
  }
  return answer;
}

CommandStatus Inbound::DecidePart(const Message& message, const smpp::Concatenation& part,
                                  const InboundDelivery& delivery) {
  const Digest16 name = DigestOf(message, /*with_text=*/false);
  // The reference has come round, and says something else now.
  if (const auto old = groups_.find(name); old != groups_.end() && old->second.parts.contains(part.number)) {
    GiveUpUnless(Assemble(name, delivery.at_ms));
  }
  std::string plain = smpp::ToBeWiped(delivery.frame.size() + 1);
  plain.append(delivery.frame) += kEnd;
  auto sealed = crypto::SealEnvelope(own_.public_key(), crypto::EnvelopeSubject(kPartTenant, kPartKey), plain);
  smpp::Wipe(plain);
  if (!sealed.ok()) return CommandStatus::kReceiverPermanentError;
  Group& group = groups_[name];
  if (group.parts.empty()) group.first_ms = delivery.at_ms;
  group.account = delivery.account;
  group.total = part.total;
  store_.PutPart({name, part.number, part.total, delivery.at_ms, delivery.account, *sealed});
  group.parts.emplace(part.number, std::move(*sealed));
  ++parts_;
  if (group.parts.size() < group.total) return CommandStatus::kOk;
  GiveUpUnless(Assemble(name, delivery.at_ms));
  return CommandStatus::kOk;
}

// Parts that were taken, and cannot be kept, would be no better when they came again.
void Inbound::GiveUpUnless(const absl::Status& kept) {
  if (kept.ok() || !notice_) return;
  notice_(LogLevel::kWarn,
          absl::StrCat("an SMS from a phone that came in parts is given up: ", std::string(kept.message())));
}

absl::Status Inbound::Assemble(const Digest16& name, std::int64_t at_ms) {
  Group group = std::move(groups_.extract(name).mapped());
  parts_ -= group.parts.size();
  std::vector<crypto::Secret> frames;  // what the messages are views into
  std::vector<Message> messages;
  std::string there;
  for (const auto& [number, sealed] : group.parts) {
    store_.DeletePart(name, number);
    auto opened = vault_->Open(kPartTenant, kPartKey, sealed);
    if (!opened.ok()) continue;  // its key is gone
    frames.push_back(std::move(opened->plaintext));
    std::string_view frame = frames.back().Reveal();
    frame.remove_suffix(1);
    if (auto message = Message::From(group.account, frame)) {
      messages.push_back(*message);
      there.append(there.empty() ? "" : ",").append(std::to_string(number));
    }
  }
  if (messages.empty()) return absl::NotFoundError("the key that its parts are sealed for is gone");
  const InboundRoute* const route = RouteOf(group.account, messages.front().destination.digits);
  if (route == nullptr) return absl::NotFoundError("its number is nobody's any more");
  std::vector<std::pair<std::uint8_t, std::string_view>> texts;
  for (const Message& message : messages) texts.emplace_back(message.data_coding, message.text);
  auto text = smpp::ToBeWiped<smpp::WipedBytes>(0);
  const bool is_text = Join(texts, text);
  const bool whole = messages.size() == group.total;
  return Keep(*route, messages.front(), whole ? std::string() : absl::StrCat(there, " of ", group.total), text, is_text,
              at_ms);
}

absl::Status Inbound::Keep(const InboundRoute& route, const Message& message, std::string_view parts,
                           std::string_view text, bool is_text, std::int64_t at_ms) {
  InboundSms sms{.id = crypto::RandomUuid(), .tenant = route.tenant, .payload = {}, .at_ms = at_ms};
  auto plain = smpp::ToBeWiped<smpp::WipedBytes>(text.size() + kHeadBytes);
  plain.append("From: ");
  AppendShown(plain, message.source);
  plain.append("\nTo: ");
  AppendShown(plain, message.destination);
  if (!parts.empty()) plain.append("\nParts: ").append(parts);
  if (!is_text) plain.append("\nEncoding: base64");
  plain.append("\n\n");
  if (is_text) {
    plain.append(text);
  } else {
    std::string octets = crypto::ToBase64(text);
    plain.append(octets);
    smpp::Wipe(octets);
  }
  if (plain.size() > kTextBytesMax) return absl::ResourceExhaustedError("it is too long");
  // Padding would eat zero bytes at the end of a text.
  while (plain.back() == '\0') plain.pop_back();
  auto sealed = crypto::SealEnvelope(route.key, crypto::EnvelopeSubject(sms.tenant, sms.id), plain, at_ms / 1000);
  if (!sealed.ok()) return sealed.status();
  sms.payload = std::move(*sealed);
  store_.Put(++last_, sms);
  ++waiting_;
  const std::lock_guard lock(mutex_);
  ++figures_.kept;
  figures_.incomplete += parts.empty() ? 0 : 1;
  return absl::OkStatus();
}

void Inbound::Remember(const Digest16& digest, const InboundDelivery& delivery) {
  const auto forget = [this](std::multimap<std::int64_t, Digest16>::iterator oldest) {
    store_.DeleteSeen(oldest->second);
    seen_.erase(oldest->second);
    seen_order_.erase(oldest);
  };
  if (const auto again = seen_.find(digest); again != seen_.end()) {
    auto [it, end] = seen_order_.equal_range(again->second.at_ms);
    while (it != end && it->second != digest) ++it;
    if (it != end) forget(it);
  }
  while (seen_.size() >= options_.repeats_max) forget(seen_order_.begin());
  const InboundSeen seen{delivery.at_ms, clock_.WallMs(), delivery.session};
  store_.PutSeen(digest, seen);
  seen_.emplace(digest, seen);
  seen_order_.emplace(seen.at_ms, digest);
}

void Inbound::Forget(const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    const auto found = under_way_.find(id);
    if (found == under_way_.end()) continue;
    store_.Delete(found->second);
    under_way_.erase(found);
    --waiting_;
  }
}

void Inbound::Expire(std::int64_t now_ms) {
  if (now_ms < expire_at_ms_) return;
  expire_at_ms_ = now_ms + kExpireEvery_ms;
  std::vector<Digest16> over;
  for (const auto& [name, group] : groups_) {
    if (group.first_ms + options_.parts_ms <= now_ms) over.push_back(name);
  }
  for (const Digest16& name : over) {
    GiveUpUnless(Assemble(name, now_ms));
  }
  while (!seen_order_.empty() && seen_order_.begin()->first + repeat_ms_ < now_ms) {
    store_.DeleteSeen(seen_order_.begin()->second);
    seen_.erase(seen_order_.begin()->second);
    seen_order_.erase(seen_order_.begin());
  }
}

void Inbound::TellOn() {
  while (under_way_.size() < kUnderWayMax) {
    auto rows = store_.After(told_, kUnderWayMax - under_way_.size());
    Require(rows.status());
    if (!rows.ok() || rows->empty()) return;
    std::vector<InboundSms> sms;
    for (auto& [count, one] : *rows) {
      told_ = count;
      under_way_.emplace(one.id, count);
      sms.push_back(std::move(one));
    }
    sink_.Put(std::move(sms));
  }
}

void Inbound::Require(const absl::Status& status) {
  if (!status.ok()) fatal_(status);
}

InboundFigures Inbound::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

}  // namespace smsflow::gateway
