// The PDUs of a session, as values (§4). Texts are views: of a decoded PDU into the frame that was given, of one to be
// encoded into whatever the caller keeps. A PDU must not outlive that.
//
// Values only; safe to use from any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "smpp/protocol.h"
#include "smpp/tlvs.h"

namespace smsflow::smpp {

struct Header {
  CommandId id{};
  CommandStatus status = CommandStatus::kOk;
  std::uint32_t sequence = 0;
};

// §5.2.5 to §5.2.9: type of number, numbering plan, the address itself.
struct Address {
  std::uint8_t ton = 0;
  std::uint8_t npi = 0;
  std::string_view digits = {};  // letters where ton is alphanumeric (5)
};

// bind_receiver, bind_transmitter, bind_transceiver
struct Bind {
  std::string_view system_id = {}, password = {}, system_type = {};
  std::uint8_t interface_version = kInterfaceVersion;
  Address range = {};
};

// their responses
struct BindResp {
  std::string_view system_id = {};
};

// submit_sm and deliver_sm
struct Sm {
  std::string_view service_type = {};
  Address source = {}, destination = {};
  std::uint8_t esm_class = 0, protocol_id = 0, priority = 0;
  std::string_view schedule_time = {}, validity_period = {};  // §7.1.1; empty: at once, as long as the SMSC likes
  std::uint8_t registered_delivery = 0, replace_if_present = 0, data_coding = 0, default_message_id = 0;
  std::string_view short_message = {};
};

struct DataSm {
  std::string_view service_type = {};
  Address source = {}, destination = {};
  std::uint8_t esm_class = 0, registered_delivery = 0, data_coding = 0;
};

// submit_sm_resp, deliver_sm_resp, data_sm_resp. Empty when the peer sent no body.
struct MessageResp {
  std::string_view message_id = {};
};

struct QuerySm {
  std::string_view message_id = {};
  Address source = {};
};

struct QuerySmResp {
  std::string_view message_id = {}, final_date = {};
  std::uint8_t message_state = 0, error_code = 0;
};

// unbind, enquire_link, their responses, generic_nack
struct Empty {};

// Every command that is none of the above: the body as it came.
struct Other {
  std::string_view bytes = {};
};

using Body = std::variant<Empty, Bind, BindResp, Sm, DataSm, MessageResp, QuerySm, QuerySmResp, Other>;

struct Pdu {
  Header header = {};
  Body body = {};
  Tlvs tlvs = {};  // of an Other: none, they stand in its bytes
};

// What was said to someone, wherever it stands: message_payload when short_message is empty (§2.10), else the latter.
std::string_view UserDataOf(const Sm& sm, const Tlvs& tlvs);

}  // namespace smsflow::smpp
