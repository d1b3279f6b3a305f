#include "smpp/codec.h"

#include <utility>

namespace smsflow::smpp {
namespace {

constexpr std::string_view kTooLong = "must end with a NUL within its size";
constexpr std::string_view kCutShort = "must be there, but the PDU ends before it";

std::uint32_t WordAt(std::string_view bytes, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = at; i < at + 4; ++i) word = word << 8 | static_cast<unsigned char>(bytes[i]);
  return word;
}

// Takes the fields of a body one after the other. After the first that is wrong nothing is read any more.
class Reader {
 public:
  Reader(std::string_view body, Refusal& why) : rest_(body), why_(why) {}

  bool ok() const { return why_.field.empty(); }
  bool at_end() const { return rest_.empty(); }

  // §3.1: `size` counts the NUL.
  void Text(std::string_view& out, std::string_view field, std::size_t size, CommandStatus answer) {
    if (!ok()) return;
    const std::size_t length = rest_.substr(0, size).find('\0');
    if (length == std::string_view::npos) {
      if (rest_.size() < size) return Refuse({CommandStatus::kInvalidCommandLength, field, kCutShort});
      return Refuse({answer, field, kTooLong});
    }
    out = rest_.substr(0, length);
    rest_.remove_prefix(length + 1);
  }

  void Octet(std::uint8_t& out, std::string_view field) {
    if (!ok()) return;
    if (rest_.empty()) return Refuse({CommandStatus::kInvalidCommandLength, field, kCutShort});
    out = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
  }

  void ShortMessage(std::string_view& out) {
    std::uint8_t length = 0;
    Octet(length, "sm_length");
    if (!ok()) return;
    if (length > kShortMessageMax) {
      return Refuse({CommandStatus::kInvalidMessageLength, "sm_length", "must be at most 254"});
    }
    if (rest_.size() < length) {
      return Refuse({CommandStatus::kInvalidMessageLength, "short_message", "must be as long as sm_length says"});
    }
    out = rest_.substr(0, length);
    rest_.remove_prefix(length);
  }

  void Rest(Tlvs& out) {
    if (!ok()) return;
    const auto tlvs = Tlvs::Parse(rest_);
    if (!tlvs) {
      return Refuse({CommandStatus::kInvalidTlvStream, "optional parameters",
                     "must be whole TLVs that fill the rest of the PDU"});
    }
    out = *tlvs;
    rest_ = {};
  }

  std::string_view TakeAll() { return std::exchange(rest_, {}); }
  void Refuse(Refusal why) { why_ = why; }

 private:
  std::string_view rest_;
  Refusal& why_;
};

void ReadAddress(Reader& in, Address& address, std::string_view field, std::size_t size, CommandStatus answer) {
  in.Octet(address.ton, field);
  in.Octet(address.npi, field);
  in.Text(address.digits, field, size, answer);
}

void ReadRoute(Reader& in, std::string_view& service_type, Address& source, Address& destination, std::size_t size) {
  in.Text(service_type, "service_type", kServiceTypeSize, CommandStatus::kInvalidServiceType);
  ReadAddress(in, source, "source_addr", size, CommandStatus::kInvalidSourceAddress);
  ReadAddress(in, destination, "destination_addr", size, CommandStatus::kInvalidDestinationAddress);
}

Bind ReadBind(Reader& in) {
  Bind bind;
  in.Text(bind.system_id, "system_id", kSystemIdSize, CommandStatus::kInvalidSystemId);
  in.Text(bind.password, "password", kPasswordSize, CommandStatus::kInvalidPassword);
  in.Text(bind.system_type, "system_type", kSystemTypeSize, CommandStatus::kInvalidSystemType);
  in.Octet(bind.interface_version, "interface_version");
  ReadAddress(in, bind.range, "address_range", kAddressRangeSize, CommandStatus::kBindFailed);
  return bind;
}

Sm ReadSm(Reader& in) {
  Sm sm;
  ReadRoute(in, sm.service_type, sm.source, sm.destination, kAddressSize);
  in.Octet(sm.esm_class, "esm_class");
  in.Octet(sm.protocol_id, "protocol_id");
  in.Octet(sm.priority, "priority_flag");
  in.Text(sm.schedule_time, "schedule_delivery_time", kTimeSize, CommandStatus::kInvalidScheduledTime);
  in.Text(sm.validity_period, "validity_period", kTimeSize, CommandStatus::kInvalidValidityPeriod);
  in.Octet(sm.registered_delivery, "registered_delivery");
  in.Octet(sm.replace_if_present, "replace_if_present_flag");
  in.Octet(sm.data_coding, "data_coding");
  in.Octet(sm.default_message_id, "sm_default_msg_id");
  in.ShortMessage(sm.short_message);
  return sm;
}

DataSm ReadDataSm(Reader& in) {
  DataSm sm;
  ReadRoute(in, sm.service_type, sm.source, sm.destination, kDataAddressSize);
  in.Octet(sm.esm_class, "esm_class");
  in.Octet(sm.registered_delivery, "registered_delivery");
  in.Octet(sm.data_coding, "data_coding");
  return sm;
}

QuerySm ReadQuerySm(Reader& in) {
  QuerySm query;
  in.Text(query.message_id, "message_id", kMessageIdSize, CommandStatus::kInvalidMessageId);
  ReadAddress(in, query.source, "source_addr", kAddressSize, CommandStatus::kInvalidSourceAddress);
  return query;
}

QuerySmResp ReadQuerySmResp(Reader& in) {
  QuerySmResp answer;
  in.Text(answer.message_id, "message_id", kMessageIdSize, CommandStatus::kInvalidMessageId);
  in.Text(answer.final_date, "final_date", kTimeSize, CommandStatus::kQueryFailed);
  in.Octet(answer.message_state, "message_state");
  in.Octet(answer.error_code, "error_code");
  return answer;
}

BindResp ReadBindResp(Reader& in) {
  BindResp answer;
  in.Text(answer.system_id, "system_id", kSystemIdSize, CommandStatus::kInvalidSystemId);
  return answer;
}

MessageResp ReadMessageResp(Reader& in) {
  MessageResp answer;
  in.Text(answer.message_id, "message_id", kMessageIdSize, CommandStatus::kInvalidMessageId);
  return answer;
}

Empty ReadEmpty(Reader& in) {
  if (in.ok() && !in.at_end()) {
    in.Refuse({CommandStatus::kInvalidCommandLength, "command_length", "must be 16: this command has no body"});
  }
  return {};
}

Body ReadBody(CommandId id, Reader& in, Tlvs& tlvs) {
  Body body;
  switch (id) {
    case CommandId::kBindReceiver:
    case CommandId::kBindTransmitter:
    case CommandId::kBindTransceiver:
      body = ReadBind(in);
      break;
    case CommandId::kBindReceiverResp:
    case CommandId::kBindTransmitterResp:
    case CommandId::kBindTransceiverResp:
      body = in.at_end() ? BindResp{} : ReadBindResp(in);
      break;
    case CommandId::kSubmitSm:
    case CommandId::kDeliverSm:
      body = ReadSm(in);
      break;
    case CommandId::kDataSm:
      body = ReadDataSm(in);
      break;
    case CommandId::kSubmitSmResp:
    case CommandId::kDeliverSmResp:
    case CommandId::kDataSmResp:
      body = in.at_end() ? MessageResp{} : ReadMessageResp(in);
      break;
    case CommandId::kQuerySm:
      body = ReadQuerySm(in);
      break;
    case CommandId::kQuerySmResp:
      body = in.at_end() ? QuerySmResp{} : ReadQuerySmResp(in);
      break;
    case CommandId::kUnbind:
    case CommandId::kEnquireLink:
      return ReadEmpty(in);
    case CommandId::kUnbindResp:
    case CommandId::kEnquireLinkResp:
    case CommandId::kGenericNack:
      in.TakeAll();
      return Empty{};  // some peers put a NUL there
    default:
      return Other{in.TakeAll()};
  }
  in.Rest(tlvs);
  return body;
}

}  // namespace

std::string_view UserDataOf(const Sm& sm, const Tlvs& tlvs) {
  if (!sm.short_message.empty()) return sm.short_message;
  return tlvs.Find(Tag::kMessagePayload).value_or(std::string_view());
}

absl::Status ToStatus(const Refusal& refusal) {
  return absl::InvalidArgumentError(std::string(refusal.field).append(": ").append(refusal.rule));
}

std::optional<Header> ReadHeader(std::string_view bytes, std::uint32_t& frame_bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  frame_bytes = WordAt(bytes, 0);
  return Header{.id = static_cast<CommandId>(WordAt(bytes, 4)),
                .status = static_cast<CommandStatus>(WordAt(bytes, 8)),
                .sequence = WordAt(bytes, 12)};
}

absl::StatusOr<Pdu> Decode(std::string_view frame, Refusal& why) {
  why = {};
  std::uint32_t frame_bytes = 0;
  const auto header = ReadHeader(frame, frame_bytes);
  if (!header || frame_bytes != frame.size()) {
    why = {CommandStatus::kInvalidCommandLength, "command_length", "must be 16 or more, and the size of the PDU"};
    return ToStatus(why);
  }
  Pdu pdu{.header = *header, .body = Empty{}, .tlvs = {}};
  Reader in(frame.substr(kHeaderBytes), why);
  pdu.body = ReadBody(header->id, in, pdu.tlvs);
  // What a failed command answers with is its status: a lone NUL, half a body, anything may stand there.
  if (!in.ok() && IsResponse(header->id) && header->status != CommandStatus::kOk) {
    why = {};
    pdu.tlvs = {};
    pdu.body = Empty{};
  }
  if (!why.field.empty()) return ToStatus(why);
  return pdu;
}

}  // namespace smsflow::smpp
