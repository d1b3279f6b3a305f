// The writing half of smpp/codec.h.
#include "absl/strings/str_cat.h"
#include "smpp/codec.h"

namespace smsflow::smpp {
namespace {

void AppendWord(std::string& out, std::uint32_t word) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(word >> shift & 0xff);
}

// Puts the fields of a body one after the other, and remembers the first that could not be.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void Text(std::string_view text, const char* field, std::size_t size) {
    if (text.size() >= size) return Refuse(field, absl::StrCat("must be at most ", size - 1, " octets"));
    if (text.find('\0') != std::string_view::npos) return Refuse(field, "must have no NUL within");
    out_ += text;
    out_ += '\0';
  }
  void Octet(std::uint8_t value) { out_ += static_cast<char>(value); }
  void Bytes(std::string_view bytes) { out_ += bytes; }
  void Refuse(const char* field, std::string_view rule) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(std::string(field).append(": ").append(rule));
  }
  const absl::Status& status() const { return status_; }

 private:
  std::string& out_;
  absl::Status status_;
};

void WriteAddress(Writer& out, const Address& address, const char* field, std::size_t size) {
  out.Octet(address.ton);
  out.Octet(address.npi);
  out.Text(address.digits, field, size);
}

void Write(Writer&, const Empty&) {}

void Write(Writer& out, const Other& other) { out.Bytes(other.bytes); }

void Write(Writer& out, const Bind& bind) {
  out.Text(bind.system_id, "system_id", kSystemIdSize);
  out.Text(bind.password, "password", kPasswordSize);
  out.Text(bind.system_type, "system_type", kSystemTypeSize);
  out.Octet(bind.interface_version);
  WriteAddress(out, bind.range, "address_range", kAddressRangeSize);
}

void Write(Writer& out, const BindResp& answer) { out.Text(answer.system_id, "system_id", kSystemIdSize); }

void WriteTime(Writer& out, std::string_view time, const char* field) {
  if (!time.empty() && time.size() != kTimeSize - 1) return out.Refuse(field, "must be empty or 16 characters");
  out.Text(time, field, kTimeSize);
}

void Write(Writer& out, const Sm& sm) {
  out.Text(sm.service_type, "service_type", kServiceTypeSize);
  WriteAddress(out, sm.source, "source_addr", kAddressSize);
  WriteAddress(out, sm.destination, "destination_addr", kAddressSize);
  out.Octet(sm.esm_class);
  out.Octet(sm.protocol_id);
  out.Octet(sm.priority);
  WriteTime(out, sm.schedule_time, "schedule_delivery_time");
  WriteTime(out, sm.validity_period, "validity_period");
  out.Octet(sm.registered_delivery);
  out.Octet(sm.replace_if_present);
  out.Octet(sm.data_coding);
  out.Octet(sm.default_message_id);
  if (sm.short_message.size() > kShortMessageMax) return out.Refuse("short_message", "must be at most 254 octets");
  out.Octet(static_cast<std::uint8_t>(sm.short_message.size()));
  out.Bytes(sm.short_message);
}

void Write(Writer& out, const DataSm& sm) {
  out.Text(sm.service_type, "service_type", kServiceTypeSize);
  WriteAddress(out, sm.source, "source_addr", kDataAddressSize);
  WriteAddress(out, sm.destination, "destination_addr", kDataAddressSize);
  out.Octet(sm.esm_class);
  out.Octet(sm.registered_delivery);
  out.Octet(sm.data_coding);
}

void Write(Writer& out, const MessageResp& answer) { out.Text(answer.message_id, "message_id", kMessageIdSize); }

void Write(Writer& out, const QuerySm& query) {
  out.Text(query.message_id, "message_id", kMessageIdSize);
  WriteAddress(out, query.source, "source_addr", kAddressSize);
}

void Write(Writer& out, const QuerySmResp& answer) {
  out.Text(answer.message_id, "message_id", kMessageIdSize);
  WriteTime(out, answer.final_date, "final_date");
  out.Octet(answer.message_state);
  out.Octet(answer.error_code);
}

bool Fits(CommandId id, const Body& body) {
  switch (id) {
    case CommandId::kBindReceiver:
    case CommandId::kBindTransmitter:
    case CommandId::kBindTransceiver:
      return std::holds_alternative<Bind>(body);
    case CommandId::kBindReceiverResp:
    case CommandId::kBindTransmitterResp:
    case CommandId::kBindTransceiverResp:
      return std::holds_alternative<BindResp>(body);
    case CommandId::kSubmitSm:
    case CommandId::kDeliverSm:
      return std::holds_alternative<Sm>(body);
    case CommandId::kDataSm:
      return std::holds_alternative<DataSm>(body);
    case CommandId::kSubmitSmResp:
    case CommandId::kDeliverSmResp:
    case CommandId::kDataSmResp:
      return std::holds_alternative<MessageResp>(body);
    case CommandId::kQuerySm:
      return std::holds_alternative<QuerySm>(body);
    case CommandId::kQuerySmResp:
      return std::holds_alternative<QuerySmResp>(body);
    case CommandId::kUnbind:
    case CommandId::kUnbindResp:
    case CommandId::kEnquireLink:
    case CommandId::kEnquireLinkResp:
    case CommandId::kGenericNack:
      return std::holds_alternative<Empty>(body);
    default:
      return std::holds_alternative<Other>(body);
  }
}

absl::Status WriteFrame(const Pdu& pdu, std::string& out) {
  const bool failed = IsResponse(pdu.header.id) && pdu.header.status != CommandStatus::kOk;
  if (!failed && !Fits(pdu.header.id, pdu.body)) {
    return absl::InvalidArgumentError(absl::StrCat("command_id: ", NameOf(pdu.header.id), " has another body"));
  }
  const std::size_t start = out.size();
  AppendWord(out, 0);
  AppendWord(out, static_cast<std::uint32_t>(pdu.header.id));
  AppendWord(out, static_cast<std::uint32_t>(pdu.header.status));
  AppendWord(out, pdu.header.sequence);
  if (!failed) {
    Writer body(out);
    std::visit([&body](const auto& alternative) { Write(body, alternative); }, pdu.body);
    const bool has_tlvs = !std::holds_alternative<Empty>(pdu.body) && !std::holds_alternative<Other>(pdu.body);
    if (has_tlvs) body.Bytes(pdu.tlvs.bytes());
    if (!body.status().ok()) return body.status();
  }
  const std::size_t size = out.size() - start;
  if (size > kPduBytesMax) return absl::InvalidArgumentError("command_length: must be at most 131072");
  for (std::size_t i = 0; i < 4; ++i) out[start + i] = static_cast<char>(size >> (24 - 8 * i) & 0xff);
  return absl::OkStatus();
}

}  // namespace

absl::Status Encode(const Pdu& pdu, std::string& out) {
  const std::size_t start = out.size();
  absl::Status status = WriteFrame(pdu, out);
  if (!status.ok()) out.resize(start);
  return status;
}

}  // namespace smsflow::smpp
