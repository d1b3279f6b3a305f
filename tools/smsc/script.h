// What smsflow-smsc does when: a TOML file, of which docs/smsc.md explains every key. All of it has a default, so an
// empty script is an SMSC that takes everything and delivers it.
//
// Values only. Bounds are checked on reading; an error is one line per mistake and names line, key and rule.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "smpp/protocol.h"

namespace smsflow::smsc {

// How a message's number is written as its id.
enum class IdStyle { kDecimal, kHex, kLowerHex, kNone };

enum class FaultKind {
  kRefuse,         // answer with `status`, take nothing
  kDropResponse,   // take it, answer never
  kDelayResponse,  // take it, answer after `delay`
  kEarlyReceipt,   // the receipt at once, the response after `delay`
  kDropReceipt,    // no receipt, ever
  kDelayReceipt,   // the receipt `delay` later than it would come
  kDoubleReceipt,  // the receipt once more, `delay` later
  kWrongBase,      // the id of the receipt in hexadecimal where it would be decimal, and the other way round
  kFail,           // a receipt with `stat` and `err`
  kReset,          // take it, then reset the connection before the response
  kClose,          // take it, then close the connection before the response
  kSilence,        // take it, then say nothing more on this connection, and read nothing: half-open
};

struct Delay {
  std::int64_t least_ms = 0, most_ms = 0;
};

struct Fault {
  FaultKind kind = FaultKind::kRefuse;
  // Which submits it meets: all of these must hold. Submits are counted from 1, over all connections.
  double rate = 1;               // of those that fit the rest
  std::uint64_t every = 1;       // only each so many-th
  std::uint64_t from = 1;        // not before this one
  std::uint64_t to = 0;          // and not after this one; 0: no end
  std::string destination = {};  // only numbers that begin so

  Delay delay = {};
  smpp::CommandStatus status = smpp::CommandStatus::kThrottled;
  std::string stat = "UNDELIV", err = "001";
};

// An SMS that a handset sends, once a client that receives is bound.
struct Inbound {
  std::int64_t after_ms = 0;
  std::string source, destination, text;  // text in UTF-8
};

struct Account {
  std::string system_id, password;
};

enum class ReceiptParts { kEach, kFirst, kLast };

struct Script {
  std::uint64_t seed = 1;
  std::string system_id = "smsflow-smsc";
  std::vector<Account> accounts = {};  // none: anyone may bind

  std::uint64_t first_id = 1;
  IdStyle response_id = IdStyle::kDecimal, receipt_id = IdStyle::kDecimal, tlv_id = IdStyle::kDecimal;
  std::uint32_t pad = 0;  // the id is filled with zeros up to so many characters

  Delay response = {};
  Delay receipt = {.least_ms = 100, .most_ms = 300};
  ReceiptParts parts = ReceiptParts::kEach;
  bool as_data_sm = false;
  std::string format =
      "id:{id} sub:001 dlvrd:{dlvrd} submit date:{submit_date} done date:{done_date} stat:{stat} err:{err} text:{text}";

  std::vector<Fault> faults = {};
  std::vector<Inbound> inbound = {};

  std::uint32_t connections = 100;
  std::uint32_t submits_per_s = 0;           // beyond: ESME_RTHROTTLED; 0: no limit
  std::uint32_t window = 10;                 // deliver_sm without an answer, per connection
  std::uint32_t waiting = 100'000;           // receipts and inbound SMSes kept; the next is lost and logged so
  std::int64_t bind_within_ms = 10'000;      // else the connection is closed
  std::int64_t idle_ms = 120'000;            // without a PDU: closed
  std::int64_t deliver_timeout_ms = 30'000;  // without a deliver_sm_resp: sent again
};

// `name` stands in errors. InvalidArgument.
[[nodiscard]] absl::StatusOr<Script> ReadScript(std::string_view toml, std::string_view name);

}  // namespace smsflow::smsc
