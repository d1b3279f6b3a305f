// How one SMSC wants to be spoken to. Made from a configuration file by gateway/smsc_config.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/correlator.h"
#include "gateway/inbound.h"
#include "gateway/smsc_link.h"
#include "smpp/receipt.h"
#include "smpp/refusals.h"
#include "workflows/submission/state.h"

namespace smsflow::gateway {

// How a text that does not fit into one SMS is sent.
enum class Segments : std::uint8_t { kUdh8, kUdh16, kSar };
// How the SMSC is told until when an SMS is worth anything.
enum class Validity : std::uint8_t {
  kRelative,  // a time from now: needs no agreement on zones
  kAbsolute,  // in UTC
  kNone,      // not at all: what the SMSC keeps may be delivered after the deadline
};

struct SmscOptions {
  std::string name;     // of this connection; 1 to 32 bytes of [A-Za-z0-9._-]
  std::string account;  // connections of one account share ids and receipts; the name when left out
  SmscLinkOptions link = {};
  std::vector<std::string> tenants = {};  // whom it takes; empty: all
  std::int64_t away_ms = 10'000;          // without a bind; then, while another stands, nothing waits for it here

  std::string source = {};                      // of an SMS without a sender; empty: none is given
  std::uint8_t source_ton = 1, source_npi = 1;  // of a sender in digits; one in letters is 5 and 0
  std::uint8_t destination_ton = 1, destination_npi = 1;
  std::string service_type = {};
  std::uint8_t gsm_coding = 0;  // data_coding of the default alphabet
  Segments segments = Segments::kUdh8;
  std::uint8_t segments_max = 10;
  Validity validity = Validity::kRelative;
  bool receipts = true;  // ask for them
  workflows::submission::PartsRule parts = workflows::submission::PartsRule::kAll;

  smpp::ReceiptMap meanings = {};
  smpp::RefusalMap refusals = {};
  std::vector<FixedForm> forms = {};       // of its account
  std::vector<InboundRoute> inbound = {};  // whose SMSes from phones are; none: they are refused
};

}  // namespace smsflow::gateway
