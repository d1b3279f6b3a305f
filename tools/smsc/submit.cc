// What becomes of a submit: the half of tools/smsc/smsc.h that takes messages and makes receipts of them.
#include <algorithm>
#include <array>
#include <utility>

#include "smpp/codec.h"
#include "smpp/receipt.h"
#include "smpp/text.h"
#include "smpp/times.h"
#include "tools/smsc/smsc.h"

namespace smsflow::smsc {
namespace {

using smpp::CommandStatus;

constexpr std::int64_t kEarly_ms = 50;         // from a receipt to the response that it overtook
constexpr std::size_t kReceiptTextChars = 20;  // of the message, as Appendix B has it

std::string_view NameOf(FaultKind kind) {
  switch (kind) {
    case FaultKind::kRefuse:
      return "refuse";
    case FaultKind::kDropResponse:
      return "drop-response";
    case FaultKind::kDelayResponse:
      return "delay-response";
    case FaultKind::kEarlyReceipt:
      return "early-receipt";
    case FaultKind::kDropReceipt:
      return "drop-receipt";
    case FaultKind::kDelayReceipt:
      return "delay-receipt";
    case FaultKind::kDoubleReceipt:
      return "double-receipt";
    case FaultKind::kWrongBase:
      return "wrong-base";
    case FaultKind::kFail:
      return "fail";
    case FaultKind::kReset:
      return "reset";
    case FaultKind::kClose:
      return "close";
    case FaultKind::kSilence:
      return "silence";
  }
  return "";
}

std::string IdText(std::uint64_t number, IdStyle style, std::size_t pad) {
  if (style == IdStyle::kNone) return {};
  const std::uint64_t base = style == IdStyle::kDecimal ? 10 : 16;
  const std::string_view digits = style == IdStyle::kLowerHex ? "0123456789abcdef" : "0123456789ABCDEF";
  std::string text;
  do {
    text.insert(text.begin(), digits[number % base]);
    number /= base;
  } while (number > 0);
  if (text.size() < pad) text.insert(0, pad - text.size(), '0');
  return text;
}

IdStyle OtherBase(IdStyle style) {
  if (style == IdStyle::kNone) return style;
  return style == IdStyle::kDecimal ? IdStyle::kHex : IdStyle::kDecimal;
}

smpp::MessageState StateOf(std::string_view stat) {
  return smpp::StateOfWord(stat).value_or(smpp::MessageState::kUnknown);
}

}  // namespace

// A message that was taken.
struct Smsc::Submitted {
  std::uint64_t number = 0, id = 0;
  smpp::Address source, destination;
  std::uint8_t esm_class = 0, registered_delivery = 0, data_coding = 0;
  std::string_view user_data, text;
  std::optional<smpp::Concatenation> part;
  std::int64_t at_ms = 0;

  // nullopt for a user data header that is none.
  static std::optional<Submitted> From(const smpp::Pdu& pdu);
};

std::optional<Smsc::Submitted> Smsc::Submitted::From(const smpp::Pdu& pdu) {
  Submitted one;
  if (const auto* sm = std::get_if<smpp::Sm>(&pdu.body)) {
    one.source = sm->source;
    one.destination = sm->destination;
    one.esm_class = sm->esm_class;
    one.registered_delivery = sm->registered_delivery;
    one.data_coding = sm->data_coding;
    one.user_data = smpp::UserDataOf(*sm, pdu.tlvs);
  } else if (const auto* data = std::get_if<smpp::DataSm>(&pdu.body)) {
    one.source = data->source;
    one.destination = data->destination;
    one.esm_class = data->esm_class;
    one.registered_delivery = data->registered_delivery;
    one.data_coding = data->data_coding;
    one.user_data = pdu.tlvs.Find(smpp::Tag::kMessagePayload).value_or(std::string_view());
  }
  one.text = one.user_data;
  if ((one.esm_class & smpp::kEsmUdhi) != 0) {
    const auto read = smpp::ReadUserData(one.user_data);
    if (!read.ok()) return std::nullopt;
    one.text = read->text;
    one.part = read->part;
  } else {
    one.part = smpp::ReadSar(pdu.tlvs);
  }
  return one;
}

void Smsc::OnSubmit(ConnectionId id, Connection& connection, const smpp::Pdu& pdu) {
  if (!connection.bound || !connection.transmits) return Answer(id, pdu, CommandStatus::kIncorrectBindStatus);
  auto submitted = Submitted::From(pdu);
  if (!submitted) return Answer(id, pdu, CommandStatus::kInvalidEsmClass);
  submitted->number = ++submits_;
  submitted->id = script_.first_id + submits_ - 1;
  submitted->at_ms = now_ms_;
  Fate fate = FateOf(submits_, submitted->destination.digits);
  if (!WithinRate() && !fate.refused) {
    fate.refused = CommandStatus::kThrottled;
    fate.faults.append(fate.faults.empty() ? "" : " ").append("rate");
  }
  const std::string message_id = IdText(submitted->id, script_.response_id, script_.pad);
  TruthLine line("submit", now_ms_);
  line.Number("submit", submits_)
      .Number("connection", id)
      .Text("system_id", connection.system_id)
      .Number("sequence", pdu.header.sequence)
      .Text("source", submitted->source.digits)
      .Text("destination", submitted->destination.digits)
      .Number("esm_class", submitted->esm_class)
      .Number("data_coding", submitted->data_coding)
      .Number("registered_delivery", submitted->registered_delivery)
      .Hex("user_data", submitted->user_data)
      .Number("status", static_cast<std::uint32_t>(fate.refused.value_or(CommandStatus::kOk)))
      .Text("message_id", fate.refused ? std::string_view() : message_id)
      .Text("faults", fate.faults);
  if (const auto reference = pdu.tlvs.Short(smpp::Tag::kUserMessageReference)) {
    line.Number("user_message_reference", *reference);
  }
  if (submitted->part) {
    line.Number("reference", submitted->part->reference)
        .Number("part", submitted->part->number)
        .Number("parts", submitted->part->total);
  }
  truth_.Tell(line.Finish());

  if (fate.refused) return Answer(id, pdu, *fate.refused, smpp::Empty{}, {}, fate.response_ms);
  if (!fate.drop_receipt) PlanReceipts(*submitted, fate, connection.system_id);
  if (fate.end) return End(id, *fate.end, fate.faults);
  if (fate.drop_response) return;
  Answer(id, pdu, CommandStatus::kOk, smpp::MessageResp{.message_id = message_id}, {}, fate.response_ms);
}

Smsc::Fate Smsc::FateOf(std::uint64_t number, std::string_view destination) {
  Fate fate;
  fate.response_ms = Draw(script_.response);
  fate.receipt_ms = Draw(script_.receipt);
  for (const Fault& fault : script_.faults) {
    const bool fits = number >= fault.from && (fault.to == 0 || number <= fault.to) &&
                      (number - fault.from) % fault.every == 0 && destination.starts_with(fault.destination);
    if (!fits || (fault.rate < 1 && Chance() >= fault.rate)) continue;
    const std::int64_t delay_ms = Draw(fault.delay);
    fate.faults.append(fate.faults.empty() ? "" : " ").append(NameOf(fault.kind));
    switch (fault.kind) {
      case FaultKind::kRefuse:
        fate.refused = fault.status;
        break;
      case FaultKind::kDropResponse:
        fate.drop_response = true;
        break;
      case FaultKind::kDelayResponse:
        fate.response_ms += delay_ms;
        break;
      case FaultKind::kEarlyReceipt:
        fate.early = true;
        fate.response_ms += std::max(delay_ms, kEarly_ms);
        break;
      case FaultKind::kDropReceipt:
        fate.drop_receipt = true;
        break;
      case FaultKind::kDelayReceipt:
        fate.receipt_ms += delay_ms;
        break;
      case FaultKind::kDoubleReceipt:
        fate.again_ms = delay_ms;
        break;
      case FaultKind::kWrongBase:
        fate.wrong_base = true;
        break;
      case FaultKind::kFail:
        fate.failed = true;
        fate.stat = fault.stat;
        fate.err = fault.err;
        break;
      case FaultKind::kReset:
        fate.end = Action::Kind::kReset;
        break;
      case FaultKind::kClose:
        fate.end = Action::Kind::kClose;
        break;
      case FaultKind::kSilence:
        fate.end = Action::Kind::kSilence;
        break;
    }
  }
  return fate;
}

void Smsc::PlanReceipts(const Submitted& submitted, const Fate& fate, const std::string& system_id) {
  const std::uint8_t wanted = submitted.registered_delivery & smpp::kReceiptMask;
  if (wanted == 0 || (wanted == smpp::kReceiptOnFailure && !fate.failed)) return;
  if (submitted.part && script_.parts == ReceiptParts::kFirst && submitted.part->number != 1) return;
  if (submitted.part && script_.parts == ReceiptParts::kLast && submitted.part->number != submitted.part->total) return;
  const auto receipt = std::make_shared<const Delivery>(ReceiptOf(submitted, fate));
  // A receipt never overtakes its response unless it was told to.
  const std::int64_t first_ms = now_ms_ + (fate.early ? 0 : fate.response_ms + fate.receipt_ms);
  std::vector<std::int64_t> times = {first_ms};
  if (fate.again_ms) times.push_back(first_ms + *fate.again_ms);
  for (const std::int64_t at_ms : times) {
    if (waiting_ >= script_.waiting) {
      truth_.Tell(TruthLine("lost", now_ms_).Number("submit", submitted.number).Finish());
      continue;
    }
    ++waiting_;
    Plan({.at_ms = at_ms, .system_id = system_id, .delivery = receipt});
  }
  if (fate.early) Tick(now_ms_);
}

std::string Smsc::FormatReceipt(const Submitted& submitted, const Fate& fate, std::string_view id) const {
  const auto date = [this](std::int64_t at_ms) {
    return smpp::AbsoluteTime(unix_s_ + at_ms / 1000).value_or("0000000000").substr(0, 10);
  };
  const bool delivered = StateOf(fate.stat) == smpp::MessageState::kDelivered;
  const std::array<std::pair<std::string_view, std::string>, 7> values = {{
      {"{id}", std::string(id)},
      {"{stat}", fate.stat},
      {"{err}", fate.err},
      {"{dlvrd}", delivered ? "001" : "000"},
      {"{submit_date}", date(submitted.at_ms)},
      {"{done_date}", date(submitted.at_ms + fate.response_ms + fate.receipt_ms)},
      {"{text}", std::string(submitted.data_coding == 0 ? submitted.text.substr(0, kReceiptTextChars) : "")},
  }};
  std::string text;
  for (std::string_view rest = script_.format; !rest.empty();) {
    bool replaced = false;
    for (const auto& [name, value] : values) {
      if (!rest.starts_with(name)) continue;
      text += value;
      rest.remove_prefix(name.size());
      replaced = true;
      break;
    }
    if (replaced) continue;
    text += rest.front();
    rest.remove_prefix(1);
  }
  return text;
}

Smsc::Delivery Smsc::ReceiptOf(const Submitted& submitted, const Fate& fate) const {
  const IdStyle text_style = fate.wrong_base ? OtherBase(script_.receipt_id) : script_.receipt_id;
  const IdStyle tlv_style = fate.wrong_base ? OtherBase(script_.tlv_id) : script_.tlv_id;
  std::string text = FormatReceipt(submitted, fate, IdText(submitted.id, text_style, script_.pad));
  smpp::TlvWriter tlvs;
  if (tlv_style != IdStyle::kNone) {
    tlvs.AddText(smpp::Tag::kReceiptedMessageId, IdText(submitted.id, tlv_style, script_.pad));
    tlvs.AddOctet(smpp::Tag::kMessageState, static_cast<std::uint8_t>(StateOf(fate.stat)));
  }
  if (text.size() > smpp::kShortMessageMax || script_.as_data_sm) {
    tlvs.Add(smpp::Tag::kMessagePayload, std::exchange(text, {}));
  }
  return {.submit = submitted.number,
          .source = std::string(submitted.destination.digits),
          .destination = std::string(submitted.source.digits),
          .short_message = std::move(text),
          .tlvs = std::string(tlvs.view().bytes()),
          .source_ton = submitted.destination.ton,
          .source_npi = submitted.destination.npi,
          .destination_ton = submitted.source.ton,
          .destination_npi = submitted.source.npi,
          .esm_class = smpp::kEsmReceipt,
          .as_data_sm = script_.as_data_sm,
          .stat = fate.stat};
}

void Smsc::PlanInbound(const std::string& system_id) {
  std::uint16_t reference = 0;
  for (const Inbound& one : script_.inbound) {
    const auto coded = smpp::EncodeText(one.text);  // the script is UTF-8
    if (!coded.ok()) continue;
    const auto parts = smpp::Split(coded->octets, coded->alphabet, smpp::Reference::k8Bit);
    if (!parts.ok()) continue;
    ++reference;
    for (std::size_t i = 0; i < parts->size(); ++i) {
      Delivery delivery{.source = one.source, .destination = one.destination, .data_coding = coded->data_coding};
      if (parts->size() > 1) {
        delivery.esm_class = smpp::kEsmUdhi;
        delivery.short_message = smpp::ConcatenationHeader({.reference = reference,
                                                            .total = static_cast<std::uint8_t>(parts->size()),
                                                            .number = static_cast<std::uint8_t>(i + 1)},
                                                           smpp::Reference::k8Bit);
      }
      delivery.short_message += (*parts)[i];
      delivery.stat = "inbound";
      ++waiting_;
      Plan({.at_ms = now_ms_ + one.after_ms,
            .system_id = system_id,
            .delivery = std::make_shared<const Delivery>(std::move(delivery))});
    }
  }
}

}  // namespace smsflow::smsc
