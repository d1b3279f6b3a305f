#include "tools/smsc/smsc.h"

#include <algorithm>
#include <utility>

#include "smpp/codec.h"
#include "smpp/text.h"

namespace smsflow::smsc {
namespace {

using smpp::CommandId;
using smpp::CommandStatus;

constexpr std::int64_t kCheckEvery_ms = 250;
constexpr std::int64_t kRetry_ms = 1000;  // a deliver_sm that the client could not take just now
constexpr std::int64_t kSecond_ms = 1000;

bool IsBusy(CommandStatus status) {
  return status == CommandStatus::kReceiverTemporaryError || status == CommandStatus::kThrottled ||
         status == CommandStatus::kMessageQueueFull;
}

}  // namespace

Smsc::Smsc(Script script, Truth& truth, std::int64_t unix_s)
    : script_(std::move(script)), truth_(truth), unix_s_(unix_s), chance_(script_.seed) {}

void Smsc::Connected(ConnectionId id, std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (connections_.size() >= script_.connections) {
    truth_.Tell(TruthLine("refused", now_ms_).Number("connection", id).Finish());
    actions_.push_back({.kind = Action::Kind::kReset, .connection = id});
    return;
  }
  Connection& connection = connections_[id];
  connection.opened_ms = connection.heard_ms = now_ms;
  truth_.Tell(TruthLine("connected", now_ms_).Number("connection", id).Finish());
}

void Smsc::Disconnected(ConnectionId id, std::int64_t now_ms) {
  now_ms_ = now_ms;
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  Connection& connection = it->second;
  // What it did not answer goes to the next that binds, first things first.
  auto& queue = queues_[connection.system_id];
  for (auto one = connection.unanswered.rbegin(); one != connection.unanswered.rend(); ++one) {
    queue.push_front(one->second.delivery);
  }
  if (queue.empty()) queues_.erase(connection.system_id);  // names are the client's, and there is no end of them
  truth_.Tell(TruthLine("disconnected", now_ms_).Number("connection", id).Finish());
  connections_.erase(it);
  PumpAll();
}

void Smsc::Received(ConnectionId id, std::string_view bytes, std::int64_t now_ms) {
  now_ms_ = now_ms;
  const auto it = connections_.find(id);
  if (it == connections_.end() || it->second.silent || it->second.closing) return;
  Connection& connection = it->second;
  connection.heard_ms = now_ms;
  connection.framer.Append(bytes);
  while (!connection.silent && !connection.closing) {
    const auto frame = connection.framer.Next();
    if (!frame) break;
    OnFrame(id, connection, *frame);
  }
  if (connection.framer.broken() && !connection.closing && !connection.silent) {
    Nack(id, connection.framer.broken_sequence(), connection.framer.broken()->answer);
    End(id, Action::Kind::kClose, "malformed");
  }
}

void Smsc::OnFrame(ConnectionId id, Connection& connection, std::string_view frame) {
  smpp::Refusal why;
  const auto pdu = smpp::Decode(frame, why);
  std::uint32_t ignored = 0;
  const smpp::Header header = *smpp::ReadHeader(frame, ignored);  // the framer gives no less
  if (!pdu.ok()) {
    truth_.Tell(TruthLine("malformed", now_ms_)
                    .Number("connection", id)
                    .Text("command", smpp::NameOf(header.id))
                    .Text("field", why.field)
                    .Finish());
    if (!smpp::IsResponse(header.id)) Answer(id, {.header = header, .body = smpp::Empty{}, .tlvs = {}}, why.answer);
    return;
  }
  if (const auto refusal = smpp::CheckRequest(*pdu)) return Answer(id, *pdu, refusal->answer);
  switch (header.id) {
    case CommandId::kBindReceiver:
    case CommandId::kBindTransmitter:
    case CommandId::kBindTransceiver:
      return OnBind(id, connection, *pdu);
    case CommandId::kSubmitSm:
    case CommandId::kDataSm:
      return OnSubmit(id, connection, *pdu);
    case CommandId::kDeliverSmResp:
    case CommandId::kDataSmResp:
    case CommandId::kGenericNack:
      return OnDelivered(id, connection, *pdu);
    case CommandId::kEnquireLink:
      return Answer(id, *pdu, CommandStatus::kOk);
    case CommandId::kUnbind:
      Answer(id, *pdu, CommandStatus::kOk);
      return End(id, Action::Kind::kClose, "unbind");
    case CommandId::kQuerySm:
      return Answer(id, *pdu, CommandStatus::kQueryFailed);
    default:
      if (!smpp::IsResponse(header.id)) Nack(id, header.sequence, CommandStatus::kInvalidCommandId);
  }
}

CommandStatus Smsc::Admit(const smpp::Bind& bind) const {
  if (script_.accounts.empty()) return CommandStatus::kOk;
  for (const Account& account : script_.accounts) {
    if (account.system_id != bind.system_id) continue;
    return account.password == bind.password ? CommandStatus::kOk : CommandStatus::kInvalidPassword;
  }
  return CommandStatus::kInvalidSystemId;
}

void Smsc::OnBind(ConnectionId id, Connection& connection, const smpp::Pdu& pdu) {
  const auto& bind = std::get<smpp::Bind>(pdu.body);
  const CommandStatus status = connection.bound ? CommandStatus::kAlreadyBound : Admit(bind);
  truth_.Tell(TruthLine("bind", now_ms_)
                  .Number("connection", id)
                  .Text("command", smpp::NameOf(pdu.header.id))
                  .Text("system_id", bind.system_id)
                  .Number("status", static_cast<std::uint32_t>(status))
                  .Finish());
  if (status != CommandStatus::kOk) return Answer(id, pdu, status);
  connection.bound = true;
  connection.system_id = std::string(bind.system_id);
  connection.transmits = pdu.header.id != CommandId::kBindReceiver;
  connection.receives = pdu.header.id != CommandId::kBindTransmitter;
  smpp::TlvWriter tlvs;
  if (bind.interface_version >= smpp::kInterfaceVersion) {
    tlvs.AddOctet(smpp::Tag::kScInterfaceVersion, smpp::kInterfaceVersion);
  }
  Answer(id, pdu, CommandStatus::kOk, smpp::BindResp{.system_id = script_.system_id}, tlvs.view());
  if (!connection.receives) return;
  if (!std::exchange(inbound_planned_, true)) PlanInbound(connection.system_id);
  Pump(id, connection);
}

void Smsc::OnDelivered(ConnectionId id, Connection& connection, const smpp::Pdu& pdu) {
  const auto it = connection.unanswered.find(pdu.header.sequence);
  if (it == connection.unanswered.end()) return;
  const auto delivery = it->second.delivery;
  connection.unanswered.erase(it);
  truth_.Tell(TruthLine("delivered", now_ms_)
                  .Number("connection", id)
                  .Number("sequence", pdu.header.sequence)
                  .Number("submit", delivery->submit)
                  .Text("stat", delivery->stat)
                  .Number("status", static_cast<std::uint32_t>(pdu.header.status))
                  .Finish());
  if (IsBusy(pdu.header.status)) {
    Plan({.at_ms = now_ms_ + kRetry_ms, .system_id = connection.system_id, .delivery = delivery});
  } else {
    --waiting_;
  }
  Pump(id, connection);
}

void Smsc::Answer(ConnectionId id, const smpp::Pdu& request, CommandStatus status, const smpp::Body& body,
                  smpp::Tlvs tlvs, std::int64_t delay_ms) {
  const smpp::Pdu response{
      .header = {.id = smpp::ResponseTo(request.header.id), .status = status, .sequence = request.header.sequence},
      .body = body,
      .tlvs = tlvs};
  std::string frame;
  if (smpp::Encode(response, frame).ok()) Send(id, std::move(frame), delay_ms);
}

void Smsc::Nack(ConnectionId id, std::uint32_t sequence, CommandStatus status) {
  const smpp::Pdu nack{.header = {.id = CommandId::kGenericNack, .status = status, .sequence = sequence},
                       .body = smpp::Empty{},
                       .tlvs = {}};
  std::string frame;
  if (smpp::Encode(nack, frame).ok()) Send(id, std::move(frame));
}

void Smsc::Send(ConnectionId id, std::string frame, std::int64_t delay_ms) {
  if (delay_ms > 0) return Plan({.at_ms = now_ms_ + delay_ms, .connection = id, .frame = std::move(frame)});
  const auto it = connections_.find(id);
  if (it == connections_.end() || it->second.silent || it->second.closing) return;
  actions_.push_back({.kind = Action::Kind::kSend, .connection = id, .bytes = std::move(frame)});
}

void Smsc::End(ConnectionId id, Action::Kind kind, std::string_view why) {
  const auto it = connections_.find(id);
  if (it == connections_.end() || it->second.closing) return;
  if (kind == Action::Kind::kSilence) {
    it->second.silent = true;
  } else {
    it->second.closing = true;
  }
  truth_.Tell(TruthLine("end", now_ms_).Number("connection", id).Text("why", why).Finish());
  actions_.push_back({.kind = kind, .connection = id});
}

void Smsc::Plan(Planned planned) {
  planned.order = ++order_;
  planned_.push(std::move(planned));
}

void Smsc::Tick(std::int64_t now_ms) {
  now_ms_ = std::max(now_ms_, now_ms);
  while (!planned_.empty() && planned_.top().at_ms <= now_ms_) {
    Planned planned = planned_.top();
    planned_.pop();
    if (planned.delivery != nullptr) {
      Enqueue(planned.system_id, std::move(planned.delivery));
    } else {
      Send(planned.connection, std::move(planned.frame));
    }
  }
  if (now_ms_ - checked_ms_ >= kCheckEvery_ms) CheckTimes();
}

std::optional<std::int64_t> Smsc::NextDue() const {
  std::optional<std::int64_t> due;
  if (!planned_.empty()) due = planned_.top().at_ms;
  if (!connections_.empty()) due = std::min(due.value_or(checked_ms_ + kCheckEvery_ms), checked_ms_ + kCheckEvery_ms);
  return due;
}

std::vector<Action> Smsc::TakeActions() { return std::exchange(actions_, {}); }

void Smsc::Enqueue(const std::string& system_id, std::shared_ptr<const Delivery> delivery) {
  queues_[system_id].push_back(std::move(delivery));
  for (auto& [id, connection] : connections_) {
    if (connection.receives && connection.system_id == system_id) Pump(id, connection);
  }
}

void Smsc::PumpAll() {
  for (auto& [id, connection] : connections_) Pump(id, connection);
}

void Smsc::Pump(ConnectionId id, Connection& connection) {
  if (!connection.receives || connection.silent || connection.closing) return;
  const auto queue = queues_.find(connection.system_id);
  if (queue == queues_.end()) return;
  while (!queue->second.empty() && connection.unanswered.size() < script_.window) {
    const auto delivery = queue->second.front();
    queue->second.pop_front();
    connection.sequence = connection.sequence % smpp::kSequenceMax + 1;
    const smpp::Address source{delivery->source_ton, delivery->source_npi, delivery->source};
    const smpp::Address destination{delivery->destination_ton, delivery->destination_npi, delivery->destination};
    smpp::Pdu pdu{.header = {.id = CommandId::kDeliverSm, .sequence = connection.sequence}, .body = {}, .tlvs = {}};
    if (delivery->as_data_sm) {
      pdu.header.id = CommandId::kDataSm;
      pdu.body = smpp::DataSm{.source = source,
                              .destination = destination,
                              .esm_class = delivery->esm_class,
                              .data_coding = delivery->data_coding};
    } else {
      pdu.body = smpp::Sm{.source = source,
                          .destination = destination,
                          .esm_class = delivery->esm_class,
                          .data_coding = delivery->data_coding,
                          .short_message = delivery->short_message};
    }
    pdu.tlvs = smpp::Tlvs::Parse(delivery->tlvs).value_or(smpp::Tlvs());
    std::string frame;
    if (!smpp::Encode(pdu, frame).ok()) continue;
    truth_.Tell(TruthLine("deliver", now_ms_)
                    .Number("connection", id)
                    .Number("sequence", connection.sequence)
                    .Number("submit", delivery->submit)
                    .Text("stat", delivery->stat)
                    .Finish());
    connection.unanswered[connection.sequence] = {.delivery = delivery,
                                                  .until_ms = now_ms_ + script_.deliver_timeout_ms};
    Send(id, std::move(frame));
  }
}

void Smsc::CheckTimes() {
  checked_ms_ = now_ms_;
  for (auto& [id, connection] : connections_) {
    if (connection.closing) continue;
    if (!connection.bound && now_ms_ - connection.opened_ms >= script_.bind_within_ms) {
      End(id, Action::Kind::kClose, "not bound in time");
      continue;
    }
    if (now_ms_ - connection.heard_ms >= script_.idle_ms) {
      End(id, Action::Kind::kClose, "idle");
      continue;
    }
    for (auto it = connection.unanswered.begin(); it != connection.unanswered.end();) {
      if (it->second.until_ms > now_ms_) {
        ++it;
        continue;
      }
      queues_[connection.system_id].push_back(it->second.delivery);
      it = connection.unanswered.erase(it);
    }
    Pump(id, connection);
  }
}

// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
double Smsc::Chance() {
  std::uint64_t bits = chance_ += 0x9e3779b97f4a7c15;
  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
  return static_cast<double>((bits ^ bits >> 31) >> 11) * 0x1p-53;
}

std::int64_t Smsc::Draw(const Delay& delay) {
  if (delay.most_ms == delay.least_ms) return delay.least_ms;
  return delay.least_ms + static_cast<std::int64_t>(Chance() * static_cast<double>(delay.most_ms - delay.least_ms + 1));
}

bool Smsc::WithinRate() {
  if (script_.submits_per_s == 0) return true;
  const auto second = static_cast<std::uint64_t>(now_ms_ / kSecond_ms);
  if (std::exchange(second_, second) != second) in_second_ = 0;
  return ++in_second_ <= script_.submits_per_s;
}

}  // namespace smsflow::smsc
