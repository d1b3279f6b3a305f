// Frames to PDUs and back (§3, §4).
//
// Reading is bounded and lenient: each field within its own length and within the frame, TLVs that nobody knows kept,
// a response without a body taken, for many peers send such. CheckRequest is what an SMSC asks for beyond that. Writing
// is strict: what Encode makes is as the specification has it.
//
// Nothing is copied on reading and nothing allocates but an error's text. Plain functions, safe from any thread.
// An error names the field and the rule, and repeats neither number nor text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "smpp/pdu.h"

namespace smsflow::smpp {

// Why a PDU is none. The texts live as long as the program.
struct Refusal {
  CommandStatus answer = CommandStatus::kOk;  // what the response, or a generic_nack, carries
  std::string_view field, rule;
};
// InvalidArgument, `field: rule`.
absl::Status ToStatus(const Refusal& refusal);

// nullopt when `bytes` is shorter than a header. `frame_bytes` becomes command_length, which nobody has checked yet.
std::optional<Header> ReadHeader(std::string_view bytes, std::uint32_t& frame_bytes);

// `frame` is one whole PDU. On InvalidArgument `why` says in terms what the status says in words, and `header` of it
// can still be read. A sequence number is any: CheckRequest asks for more.
[[nodiscard]] absl::StatusOr<Pdu> Decode(std::string_view frame, Refusal& why);

// What the specification demands of a request beyond its form: its sequence number, values of submit_sm and data_sm,
// the lengths of the TLVs that it knows. nullopt when all is well, and for what is no request.
[[nodiscard]] std::optional<Refusal> CheckRequest(const Pdu& pdu);

// Appends the frame to `out`. InvalidArgument leaves `out` as it was: a text too long for its field or with a NUL
// within, a short_message above 254 octets, a body that is not the command's, a frame above kPduBytesMax. A response
// with a status other than ESME_ROK is written without a body (§4.4.2).
[[nodiscard]] absl::Status Encode(const Pdu& pdu, std::string& out);

}  // namespace smsflow::smpp
