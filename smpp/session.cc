#include "smpp/session.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "smpp/codec.h"
#include "smpp/times.h"

namespace smsflow::smpp {
namespace {

constexpr std::uint32_t kWindowMax = 10'000;
constexpr std::int64_t kDay_ms = 86'400'000;
constexpr std::size_t kSequenceAt = 12;
constexpr std::int64_t kLeastValidity_ms = 1000;
constexpr std::size_t kFrameBytes = 512;  // more than a submit has without its TLVs
// Of submits that were told as unknown, so many late answers are waited for.
constexpr std::size_t kLateMax = 10'000;
// So many submits in a row without an answer, and the SMSC answers none.
constexpr std::uint32_t kMuteAfter = 3;

bool IsThrottling(CommandStatus status) {
  return status == CommandStatus::kThrottled || status == CommandStatus::kMessageQueueFull;
}

void SetSequence(WipedBytes& frame, std::uint32_t sequence) {
  for (std::size_t i = 0; i < 4; ++i) frame[kSequenceAt + i] = static_cast<char>(sequence >> (24 - 8 * i) & 0xff);
}

// Where a submit_sm's relative validity_period begins in its frame (§4.4.1); 0: it has none.
std::size_t RelativeValidityAt(const Pdu& pdu) {
  const auto* sm = std::get_if<Sm>(&pdu.body);
  if (sm == nullptr || !sm->validity_period.ends_with('R')) return 0;
  const auto text = [](std::string_view one) { return one.size() + 1; };
  const auto address = [&](const Address& one) { return 2 + text(one.digits); };
  return kHeaderBytes + text(sm->service_type) + address(sm->source) + address(sm->destination) + 3 +
         text(sm->schedule_time);
}

void SetValidity(WipedBytes& frame, std::size_t at, std::int64_t left_ms) {
  const auto validity = RelativeTime(left_ms / 1000);
  if (validity) std::copy(validity->begin(), validity->end(), frame.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

Session::Session(SessionOptions options)
    : options_(std::move(options)),
      window_now_(options_.window),
      throttle_ms_(options_.throttle_least_ms),
      again_ms_(options_.again_least_ms) {}

absl::Status Session::CheckOptions(const SessionOptions& options) {
  if (!IsBind(options.bind)) return absl::InvalidArgumentError("bind: must be receiver, transmitter or transceiver");
  if (options.window < 1 || options.window > kWindowMax) {
    return absl::InvalidArgumentError("window: must be 1 to 10000");
  }
  for (const std::int64_t one :
       {options.connect_ms, options.response_ms, options.enquire_ms, options.drain_ms, options.again_least_ms,
        options.again_most_ms, options.throttle_least_ms, options.throttle_most_ms}) {
    if (one < 1 || one > kDay_ms) return absl::InvalidArgumentError("times: must be 1 ms to a day");
  }
  if (options.again_most_ms < options.again_least_ms || options.throttle_most_ms < options.throttle_least_ms) {
    return absl::InvalidArgumentError("pauses: the longest must not be below the shortest");
  }
  std::string ignored;
  return Encode({.header = {.id = options.bind, .sequence = 1},
                 .body = Bind{.system_id = options.system_id,
                              .password = options.password,
                              .system_type = options.system_type,
                              .range = {.digits = options.address_range}},
                 .tlvs = {}},
                ignored);
}

void Session::Start(std::int64_t now_ms) {
  if (state_ != State::kIdle) return;
  now_ms_ = since_ms_ = now_ms;
  state_ = State::kConnecting;
  until_ms_ = now_ms_ + options_.connect_ms;
  Tell(action::Connect{});
}

void Session::Stop(std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (state_ == State::kDraining || state_ == State::kUnbinding || state_ == State::kStopped) return;
  if (state_ != State::kBound) return Finish();
  GiveUpWhatHasNotBegun();
  state_ = State::kDraining;
  until_ms_ = now_ms_ + options_.drain_ms;
  if (AllIsIn()) Unbind();
}

// Of an SMS of which a part has left the others follow: given up, it would be a failure, and another attempt would
// bring the phone that part once more.
void Session::GiveUpWhatHasNotBegun() {
  std::map<std::uint64_t, std::size_t> parts_waiting;
  for (const auto& [order, one] : waiting_) ++parts_waiting[one.sms];
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (parts_waiting[it->second.sms] < it->second.parts) {
      ++it;
      continue;
    }
    Tell(action::Outcome{.token = it->second.token, .kind = OutcomeKind::kGivenUp});
    it = waiting_.erase(it);
  }
}

// What is left is of SMSes that have begun. That these failed nobody can say: the phone may hold the other parts.
void Session::GiveUpWaiting() {
  GiveUpWhatHasNotBegun();
  for (auto& [order, one] : std::exchange(waiting_, {})) {
    Tell(action::Outcome{.token = one.token, .kind = OutcomeKind::kUnknown});
  }
}

absl::Status Session::Submit(SubmitToken token, const Pdu& pdu, std::int64_t deadline_ms, std::int64_t now_ms,
                             PartOf part) {
  now_ms_ = now_ms;
  if (options_.bind == CommandId::kBindReceiver) return absl::FailedPreconditionError("submit: this is a receiver");
  if (state_ == State::kDraining || state_ == State::kUnbinding || state_ == State::kStopped) {
    return absl::FailedPreconditionError("submit: the session is stopping");
  }
  if (waiting_.size() >= options_.waiting) return absl::ResourceExhaustedError("submit: too many wait");
  if (pdu.header.id != CommandId::kSubmitSm && pdu.header.id != CommandId::kDataSm) {
    return absl::InvalidArgumentError("command_id: must be submit_sm or data_sm");
  }
  Waiting one{.token = token, .deadline_ms = deadline_ms, .validity_at = RelativeValidityAt(pdu)};
  std::string frame = ToBeWiped(kFrameBytes + pdu.tlvs.bytes().size());
  absl::Status status = Encode(pdu, frame);
  one.frame = frame;
  Wipe(frame);
  if (!status.ok()) return status;
  if (part.number == 1) ++sms_;
  one.sms = sms_;
  one.parts = part.parts;
  waiting_.emplace(++order_, std::move(one));
  SendWaiting();
  return absl::OkStatus();
}

void Session::Acknowledge(std::uint64_t key, CommandStatus status, std::int64_t now_ms) {
  now_ms_ = now_ms;
  const auto sequence = static_cast<std::uint32_t>(key);
  const auto it = deliveries_.find(sequence);
  if (key >> 32 != connection_ || it == deliveries_.end()) return;
  SendPdu({.header = {.id = ResponseTo(it->second), .status = status, .sequence = sequence},
           .body = MessageResp{},
           .tlvs = {}});
  deliveries_.erase(it);
}

void Session::Connected(std::int64_t now_ms) {
  now_ms_ = heard_ms_ = now_ms;
  if (state_ != State::kConnecting) return;
  state_ = State::kBinding;
  until_ms_ = now_ms_ + options_.connect_ms;
  connection_ = (connection_ + 1) & std::numeric_limits<std::uint32_t>::max();
  framer_.emplace();
  enquired_ = false;
  SendBind();
}

void Session::Closed(std::int64_t now_ms) {
  now_ms_ = now_ms;
  switch (state_) {
    case State::kConnecting:
      return Lose("could not connect", NextPause());
    case State::kBinding:
      return Lose("closed while binding", NextPause());
    case State::kBound:
      return Lose("closed by the SMSC", NextPause());
    case State::kDraining:
    case State::kUnbinding:
      return Finish();
    case State::kIdle:
    case State::kWaiting:
    case State::kStopped:
      return;
  }
}

void Session::Received(std::string_view bytes, std::int64_t now_ms) {
  now_ms_ = heard_ms_ = now_ms;
  enquired_ = false;
  if (!framer_) return;
  framer_->Append(bytes);
  const std::uint64_t connection = connection_;
  // What a frame leads to may end the connection, and the framer with it.
  while (framer_ && connection == connection_) {
    const auto frame = framer_->Next();
    if (!frame) break;
    OnFrame(*frame);
  }
  if (!framer_ || !framer_->broken()) return;
  SendEmpty(CommandId::kGenericNack, framer_->broken_sequence(), framer_->broken()->answer);
  if (state_ == State::kBinding || state_ == State::kBound) return Lose("it does not speak SMPP", NextPause());
  Finish();
}

void Session::OnFrame(std::string_view frame) {
  Refusal why;
  const auto pdu = Decode(frame, why);
  if (pdu.ok()) {
    if (IsResponse(pdu->header.id)) return OnResponse(*pdu);
    return OnRequest(*pdu, frame);
  }
  std::uint32_t ignored = 0;
  const Header header = *ReadHeader(frame, ignored);  // the framer gives no less
  if (!IsResponse(header.id)) return SendEmpty(ResponseTo(header.id), header.sequence, why.answer);
  // A status can be read even where the rest cannot.
  if (header.id == CommandId::kSubmitSmResp || header.id == CommandId::kDataSmResp) OnSubmitResponse(header, {});
}

void Session::OnRequest(const Pdu& pdu, std::string_view frame) {
  switch (pdu.header.id) {
    case CommandId::kDeliverSm:
    case CommandId::kDataSm:
      return OnDelivery(pdu, frame);
    case CommandId::kEnquireLink:
      return SendEmpty(CommandId::kEnquireLinkResp, pdu.header.sequence);
    case CommandId::kAlertNotification:
    case CommandId::kOutbind:
      return;  // neither has an answer (§4.12, §4.1.7)
    case CommandId::kUnbind:
      SendEmpty(CommandId::kUnbindResp, pdu.header.sequence);
      if (state_ == State::kBound || state_ == State::kBinding) return Lose("unbound by the SMSC", NextPause());
      return Finish();
    default:
      return SendEmpty(CommandId::kGenericNack, pdu.header.sequence, CommandStatus::kInvalidCommandId);
  }
}

void Session::OnDelivery(const Pdu& pdu, std::string_view frame) {
  const bool takes = state_ == State::kBound || state_ == State::kDraining;
  if (!takes || deliveries_.size() >= options_.deliveries) {
    return SendEmpty(ResponseTo(pdu.header.id), pdu.header.sequence, CommandStatus::kReceiverTemporaryError);
  }
  deliveries_[pdu.header.sequence] = pdu.header.id;
  Tell(action::Delivery{.key = connection_ << 32 | pdu.header.sequence, .frame = WipedBytes(frame)});
}

void Session::OnResponse(const Pdu& pdu) {
  switch (pdu.header.id) {
    case CommandId::kBindReceiverResp:
    case CommandId::kBindTransmitterResp:
    case CommandId::kBindTransceiverResp:
      return OnBindResponse(pdu);
    case CommandId::kSubmitSmResp:
    case CommandId::kDataSmResp: {
      const auto* answer = std::get_if<MessageResp>(&pdu.body);
      return OnSubmitResponse(pdu.header, answer != nullptr ? answer->message_id : std::string_view());
    }
    case CommandId::kGenericNack: {
      if (state_ == State::kBinding) return Lose("the bind was not understood", options_.again_most_ms);
      Header header = pdu.header;
      if (header.status == CommandStatus::kOk) header.status = CommandStatus::kUnknownError;
      return OnSubmitResponse(header, {});
    }
    case CommandId::kUnbindResp:
      if (state_ == State::kUnbinding) Finish();
      return;
    default:
      return;
  }
}

void Session::OnBindResponse(const Pdu& pdu) {
  if (state_ != State::kBinding || pdu.header.id != ResponseTo(options_.bind)) return;
  if (pdu.header.status != CommandStatus::kOk) {
    // Nobody knows who we are, or knows us too well: coming back at once would not help.
    Tell(action::Notice{.event = action::Event::kBindRefused, .status = pdu.header.status});
    return Lose("the bind was refused", options_.again_most_ms);
  }
  peer_version_ = pdu.tlvs.Octet(Tag::kScInterfaceVersion).value_or(0);
  state_ = State::kBound;
  since_ms_ = now_ms_;
  if (!probing_) again_ms_ = options_.again_least_ms;
  answered_ = false;
  paused_until_ms_ = 0;
  throttled_ = false;
  Tell(action::Notice{.event = action::Event::kBound});
  SendWaiting();
}

void Session::OnSubmitResponse(const Header& header, std::string_view message_id) {
  const bool accepted = header.status == CommandStatus::kOk;
  const auto tell = [&](SubmitToken token) {
    Tell(action::Outcome{.token = token,
                         .kind = accepted ? OutcomeKind::kAccepted : OutcomeKind::kRefused,
                         .status = header.status,
                         .message_id = std::string(accepted ? message_id : std::string_view())});
    if (accepted) Grow();
  };
  const auto late = late_.extract(header.sequence);
  auto answered = unanswered_.extract(header.sequence);
  if (late.empty() && answered.empty()) return;
  NoteAnswer();
  if (!late.empty()) {
    tell(late.mapped());
  } else if (IsThrottling(header.status) && GoesAgain(answered.mapped().submit)) {
    waiting_.emplace(answered.mapped().order, std::move(answered.mapped().submit));
    Throttle();
  } else {
    tell(answered.mapped().submit.token);
  }
  if (unanswered_.empty()) throttled_ = false;
  if (state_ == State::kDraining && AllIsIn()) return Unbind();
  SendWaiting();
}

void Session::NoteAnswer() {
  answered_ = true;
  unheard_ = 0;
  mute_until_ms_.reset();
  if (!std::exchange(probing_, false)) return;
  window_now_ = options_.window;
  again_ms_ = options_.again_least_ms;
}

void Session::Throttle() {
  if (!throttled_) {
    Tell(action::Notice{.event = action::Event::kThrottled});
    window_now_ = std::max<std::uint32_t>(1, window_now_ / 2);
    paused_until_ms_ = now_ms_ + throttle_ms_;
    throttle_ms_ = std::min(throttle_ms_ * 2, options_.throttle_most_ms);
  }
  throttled_ = true;
  accepted_ = 0;
}

// A whole window accepted: one more, and the next pause is a short one again.
void Session::Grow() {
  if (++accepted_ < window_now_) return;
  accepted_ = 0;
  window_now_ = std::min(window_now_ + 1, options_.window);
  throttle_ms_ = options_.throttle_least_ms;
}

void Session::SendWaiting() {
  const bool completes = state_ == State::kDraining && !mute_until_ms_;
  if (!(may_submit() || completes) || throttled_ || now_ms_ < paused_until_ms_) return;
  while (!waiting_.empty() && unanswered_.size() < window_now_) {
    auto first = waiting_.extract(waiting_.begin());
    Waiting& one = first.mapped();
    if (IsOver(one)) {
      Tell(action::Outcome{.token = one.token, .kind = OutcomeKind::kExpired});
      continue;
    }
    if (one.validity_at != 0) SetValidity(one.frame, one.validity_at, one.deadline_ms - now_ms_);
    const std::uint32_t sequence = NextSequence();
    SetSequence(one.frame, sequence);
    Tell(action::Send{.bytes = one.frame});
    unanswered_[sequence] = {
        .order = first.key(), .until_ms = now_ms_ + options_.response_ms, .submit = std::move(one)};
  }
}

void Session::Tick(std::int64_t now_ms) {
  now_ms_ = std::max(now_ms_, now_ms);
  ExpireWaiting();
  ExpireUnanswered();
  switch (state_) {
    case State::kConnecting:
      if (now_ms_ >= until_ms_) Lose("could not connect in time", NextPause());
      return;
    case State::kBinding:
      if (now_ms_ >= until_ms_) Lose("the bind was not answered", NextPause());
      return;
    case State::kWaiting:
      if (now_ms_ < until_ms_) return;
      state_ = State::kConnecting;
      until_ms_ = now_ms_ + options_.connect_ms;
      return Tell(action::Connect{});
    case State::kBound:
      if (mute_until_ms_ && now_ms_ >= *mute_until_ms_) return Lose("the SMSC answers no submits", NextPause());
      if (now_ms_ - heard_ms_ >= 2 * options_.enquire_ms) return Lose("the SMSC is silent", NextPause());
      if (now_ms_ - heard_ms_ >= options_.enquire_ms && !std::exchange(enquired_, true)) {
        SendEmpty(CommandId::kEnquireLink, NextSequence());
      }
      return SendWaiting();
    case State::kDraining:
      if (now_ms_ >= until_ms_ || AllIsIn()) return Unbind();
      return SendWaiting();
    case State::kUnbinding:
      if (now_ms_ >= until_ms_) Finish();
      return;
    case State::kIdle:
    case State::kStopped:
      return;
  }
}

std::optional<std::int64_t> Session::NextDue() const {
  std::optional<std::int64_t> due;
  const auto at = [&due](std::int64_t ms) { due = std::min(due.value_or(ms), ms); };
  switch (state_) {
    case State::kDraining:
      if (!waiting_.empty() && !throttled_ && paused_until_ms_ > now_ms_) at(paused_until_ms_);
      [[fallthrough]];
    case State::kConnecting:
    case State::kBinding:
    case State::kWaiting:
    case State::kUnbinding:
      at(until_ms_);
      break;
    case State::kBound:
      at(heard_ms_ + (enquired_ ? 2 : 1) * options_.enquire_ms);
      if (mute_until_ms_) at(*mute_until_ms_);
      if (!waiting_.empty() && !throttled_ && paused_until_ms_ > now_ms_) at(paused_until_ms_);
      break;
    case State::kIdle:
    case State::kStopped:
      return due;
  }
  // A deadline of what waits is looked at when it would leave, and about once a second.
  if (!waiting_.empty()) at(now_ms_ + 1000);
  // Sequence numbers grow with time: the first is the oldest, but where they begin anew.
  if (!unanswered_.empty()) at(unanswered_.begin()->second.until_ms);
  return due;
}

bool Session::IsOver(const Waiting& one) const {
  return one.deadline_ms - now_ms_ < (one.validity_at != 0 ? kLeastValidity_ms : 1);
}

void Session::ExpireWaiting() {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (!IsOver(it->second)) {
      ++it;
      continue;
    }
    Tell(action::Outcome{.token = it->second.token, .kind = OutcomeKind::kExpired});
    it = waiting_.erase(it);
  }
}

void Session::ExpireUnanswered() {
  for (auto it = unanswered_.begin(); it != unanswered_.end();) {
    if (now_ms_ < it->second.until_ms) {
      ++it;
      continue;
    }
    Tell(action::Outcome{.token = it->second.submit.token, .kind = OutcomeKind::kUnknown});
    late_.emplace(it->first, it->second.submit.token);
    it = unanswered_.erase(it);
    ++unheard_;
  }
  if (unheard_ >= (probing_ ? 1 : kMuteAfter) && !mute_until_ms_) mute_until_ms_ = now_ms_ + options_.response_ms;
  while (late_.size() > kLateMax) late_.erase(late_.begin());
  if (unanswered_.empty()) throttled_ = false;
}

std::int64_t Session::NextPause() {
  const std::int64_t most_ms = again_ms_;
  again_ms_ = std::min(again_ms_ * 2, options_.again_most_ms);
  if (!options_.chance) return most_ms;
  const std::int64_t least_ms = most_ms / 2;
  return least_ms + static_cast<std::int64_t>(options_.chance() * static_cast<double>(most_ms - least_ms));
}

std::uint32_t Session::NextSequence() {
  do {
    sequence_ = sequence_ % kSequenceMax + 1;
  } while (unanswered_.contains(sequence_) || late_.contains(sequence_));
  return sequence_;
}

void Session::Drop() {
  Tell(action::Close{});
  framer_.reset();
  deliveries_.clear();
  for (auto& [sequence, one] : std::exchange(unanswered_, {})) {
    Tell(action::Outcome{.token = one.submit.token, .kind = OutcomeKind::kUnknown});
  }
  late_.clear();
  throttled_ = false;
  unheard_ = 0;
  mute_until_ms_.reset();
}

void Session::Lose(std::string_view why, std::int64_t pause_ms) {
  if (mute_until_ms_ || (!answered_ && !unanswered_.empty())) {
    probing_ = true;
    window_now_ = 1;
  }
  if (state_ == State::kBound) since_ms_ = now_ms_;
  Drop();
  Tell(action::Notice{.event = action::Event::kLost, .why = why});
  state_ = State::kWaiting;
  until_ms_ = now_ms_ + pause_ms;
}

void Session::Unbind() {
  state_ = State::kUnbinding;
  until_ms_ = now_ms_ + options_.drain_ms;
  SendEmpty(CommandId::kUnbind, NextSequence());
}

void Session::Finish() {
  GiveUpWaiting();
  Drop();
  state_ = State::kStopped;
  Tell(action::Notice{.event = action::Event::kStopped});
}

void Session::SendBind() {
  SendPdu(
      {.header = {.id = options_.bind, .sequence = NextSequence()},
       .body = Bind{.system_id = options_.system_id,
                    .password = options_.password,
                    .system_type = options_.system_type,
                    .range = {.ton = options_.range_ton, .npi = options_.range_npi, .digits = options_.address_range}},
       .tlvs = {}});
}

void Session::SendPdu(const Pdu& pdu) {
  std::string frame = ToBeWiped(kFrameBytes);  // a bind has a password
  // CheckOptions saw the only texts there are.
  if (Encode(pdu, frame).ok()) Tell(action::Send{.bytes = WipedBytes(frame)});
  Wipe(frame);
}

void Session::SendEmpty(CommandId id, std::uint32_t sequence, CommandStatus status) {
  SendPdu({.header = {.id = id, .status = status, .sequence = sequence}, .body = Empty{}, .tlvs = {}});
}

std::vector<Action> Session::TakeActions() { return std::exchange(actions_, {}); }

}  // namespace smsflow::smpp
