// An SMSC that keeps its promises to the script instead of to its clients: sessions, ids, receipts, and the faults that
// it was told to inject. Without sockets and without a clock: events and times come in, actions come out. With the same
// script and the same events it does the same.
//
// Bounded: receipts that wait, PDUs on the way to a client (a window of each connection), the size of a PDU; no state
// is kept of a submit once its receipts are out. Used by one thread; nothing blocks but the truth.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "smpp/framer.h"
#include "smpp/pdu.h"
#include "tools/smsc/script.h"
#include "tools/smsc/truth.h"

namespace smsflow::smsc {

using ConnectionId = std::uint64_t;

struct Action {
  enum class Kind { kSend, kClose, kReset, kSilence };  // kClose: once everything is sent
  Kind kind = Kind::kSend;
  ConnectionId connection = 0;
  std::string bytes = {};
};

class Smsc {
 public:
  // `unix_s` is the time at 0 ms, for the dates of receipts. `truth` outlives this.
  Smsc(Script script, Truth& truth, std::int64_t unix_s);

  void Connected(ConnectionId connection, std::int64_t now_ms);
  void Received(ConnectionId connection, std::string_view bytes, std::int64_t now_ms);
  // Closed by the other side, or after an action. Unknown ids are ignored.
  void Disconnected(ConnectionId connection, std::int64_t now_ms);

  // What is due is done.
  void Tick(std::int64_t now_ms);
  // When Tick() has something to do; nullopt: nothing is planned.
  std::optional<std::int64_t> NextDue() const;

  // What is to be done now, in order.
  std::vector<Action> TakeActions();

  std::uint64_t submits() const { return submits_; }
  std::size_t waiting() const { return waiting_; }

 private:
  // Something to be delivered to a client: a receipt or an inbound SMS.
  struct Delivery {
    std::uint64_t submit = 0;  // 0: inbound
    std::string source = {}, destination = {}, short_message = {}, tlvs = {};
    std::uint8_t source_ton = 0, source_npi = 0, destination_ton = 0, destination_npi = 0;
    std::uint8_t esm_class = 0, data_coding = 0;
    bool as_data_sm = false;
    std::string stat = {};
  };
  struct Unanswered {
    std::shared_ptr<const Delivery> delivery;
    std::int64_t until_ms = 0;
  };
  struct Connection {
    smpp::Framer framer;
    std::string system_id;
    bool bound = false, transmits = false, receives = false, silent = false, closing = false;
    std::uint32_t sequence = 0;
    std::int64_t opened_ms = 0, heard_ms = 0;
    std::map<std::uint32_t, Unanswered> unanswered;
  };
  struct Planned {
    std::int64_t at_ms = 0;
    std::uint64_t order = 0;
    ConnectionId connection = 0;  // whom `frame` is for
    std::string frame = {};       // a response that was delayed
    std::string system_id = {};   // whom `delivery` is for
    std::shared_ptr<const Delivery> delivery = {};
    bool operator>(const Planned& other) const {
      return at_ms != other.at_ms ? at_ms > other.at_ms : order > other.order;
    }
  };
  // What the faults that meet a submit come to.
  struct Fate {
    std::string faults;  // their names, for the truth
    std::optional<smpp::CommandStatus> refused;
    bool drop_response = false, drop_receipt = false, wrong_base = false, failed = false, early = false;
    std::int64_t response_ms = 0, receipt_ms = 0;
    std::optional<std::int64_t> again_ms;
    std::string stat = "DELIVRD", err = "000";
    std::optional<Action::Kind> end;
  };
  struct Submitted;

  void OnFrame(ConnectionId id, Connection& connection, std::string_view frame);
  void OnBind(ConnectionId id, Connection& connection, const smpp::Pdu& pdu);
  void OnSubmit(ConnectionId id, Connection& connection, const smpp::Pdu& pdu);
  void OnDelivered(ConnectionId id, Connection& connection, const smpp::Pdu& pdu);
  smpp::CommandStatus Admit(const smpp::Bind& bind) const;

  Fate FateOf(std::uint64_t number, std::string_view destination);
  bool WithinRate();
  void PlanReceipts(const Submitted& submitted, const Fate& fate, const std::string& system_id);
  Delivery ReceiptOf(const Submitted& submitted, const Fate& fate) const;
  std::string FormatReceipt(const Submitted& submitted, const Fate& fate, std::string_view id) const;
  void PlanInbound(const std::string& system_id);

  void Answer(ConnectionId id, const smpp::Pdu& request, smpp::CommandStatus status,
              const smpp::Body& body = smpp::Empty{}, smpp::Tlvs tlvs = {}, std::int64_t delay_ms = 0);
  void Nack(ConnectionId id, std::uint32_t sequence, smpp::CommandStatus status);
  void Send(ConnectionId id, std::string frame, std::int64_t delay_ms = 0);
  void End(ConnectionId id, Action::Kind kind, std::string_view why);
  void Plan(Planned planned);
  void Enqueue(const std::string& system_id, std::shared_ptr<const Delivery> delivery);
  void Pump(ConnectionId id, Connection& connection);
  void PumpAll();
  void CheckTimes();
  std::int64_t Draw(const Delay& delay);
  double Chance();

  const Script script_;
  Truth& truth_;
  const std::int64_t unix_s_;
  std::int64_t now_ms_ = 0;
  std::int64_t checked_ms_ = 0;
  std::uint64_t chance_;
  std::uint64_t submits_ = 0, order_ = 0, second_ = 0, in_second_ = 0;
  bool inbound_planned_ = false;
  std::map<ConnectionId, Connection> connections_;
  std::priority_queue<Planned, std::vector<Planned>, std::greater<>> planned_;
  std::map<std::string, std::deque<std::shared_ptr<const Delivery>>> queues_;  // by system_id
  std::size_t waiting_ = 0;  // in planned_, in queues_ and without an answer
  std::vector<Action> actions_;
};

}  // namespace smsflow::smsc
