// One connection of a client (ESME) to an SMSC, from connecting to unbinding (§2.2, §7.2), as a state machine: events
// and times go in, actions come out, and nothing here has a socket or a clock. A client that binds a transmitter and a
// receiver has two of these.
//
//   Start -> kConnecting -> kBinding -> kBound -> kDraining -> kUnbinding -> kStopped
//                 ^             |          |
//                 +- kWaiting <-+----------+   lost, refused, silent: again after a pause that grows
//
// What it promises:
// - Submits leave in the order in which they were given, `window` of them without an answer. One that is throttled
//   (ESME_RTHROTTLED, ESME_RMSGQFUL) holds all that follow: nothing leaves until every answer is in and a pause is
//   over, then those that were throttled go again, in their order, and the window grows from a half again. So only what
//   was already on its way can be overtaken.
// - No submit leaves twice but one that was throttled, and none at or after its deadline. A relative validity_period is
//   written anew whenever it leaves: what is left until the deadline by then. With less than a second left, which no
//   validity can say, its deadline has come.
// - Each submit has one outcome; kUnknown, when the answer did not come in time or the connection was lost after it
//   left. An answer that comes later all the same, on the same connection, is a second outcome of it. An SMS of which
//   a part has left is never told as given up: its other parts are kUnknown when a stop comes before they could leave.
// - An SMSC that answers no submits gets few: after three in a row without an answer no further one leaves, and when
//   as long again has passed as an answer may take, the connection is given up. After that, or when one was lost on
//   which submits left and none was answered, the pauses grow and the window is 1 until an answer comes.
// - A message from the SMSC is answered when Acknowledge() is called: once it is durable. What nobody acknowledged the
//   SMSC sends again.
//
// Bounded: what waits, what is unanswered in both directions. Times are milliseconds of one clock that never goes back.
// Used by one thread; nothing blocks. Nothing that it says carries a number or a text, but for
// Send::bytes and Delivery::frame, which are wiped when they go.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "smpp/framer.h"
#include "smpp/pdu.h"
#include "smpp/wiped.h"

namespace smsflow::smpp {

struct SessionOptions {
  CommandId bind = CommandId::kBindTransceiver;  // one for which IsBind()
  std::string system_id = {}, password = {}, system_type = {};
  std::uint8_t range_ton = 0, range_npi = 0;
  std::string address_range = {};

  std::uint32_t window = 10;             // 1 to 10,000 submits without an answer
  std::uint32_t waiting = 1000;          // submits taken beyond those
  std::uint32_t deliveries = 1000;       // messages that are not acknowledged; the next get ESME_RX_T_APPN
  std::int64_t connect_ms = 10'000;      // to connect, and again to bind
  std::int64_t response_ms = 60'000;     // for the answer to a submit
  std::int64_t enquire_ms = 30'000;      // of silence, then enquire_link; and as long for any answer, else it is lost
  std::int64_t drain_ms = 5'000;         // on stopping, for the answers that are due, and again for unbind_resp
  std::int64_t again_least_ms = 1'000;   // before connecting again; doubles up to
  std::int64_t again_most_ms = 60'000;   // this, which a refused bind waits at once
  std::int64_t throttle_least_ms = 100;  // of a pause after throttling; doubles up to
  std::int64_t throttle_most_ms = 10'000;
  // 0 to below 1; spreads the pauses, so that many clients do not come back at once. Null: none.
  std::function<double()> chance = {};
};

// The caller's own name for a submit.
using SubmitToken = std::uint64_t;

// Which part of an SMS it is. All parts of one are given one after the other.
struct PartOf {
  std::uint8_t number = 1, parts = 1;
};

enum class OutcomeKind {
  kAccepted,  // message_id is the SMSC's; empty when it gave none that can be read
  kRefused,   // status says why; it was not taken
  kUnknown,   // it left, or other parts of its SMS did before the session was stopped, and nobody can say
  kExpired,   // its deadline came first: it never left, or was only throttled
  kGivenUp,   // the session was stopped first: as before, and no other part of its SMS has left
};

namespace action {
struct Connect {};
struct Send {
  WipedBytes bytes;
};
struct Close {};
struct Outcome {
  SubmitToken token = 0;
  OutcomeKind kind = OutcomeKind::kUnknown;
  CommandStatus status = CommandStatus::kOk;
  std::string message_id = {};
};
// A deliver_sm or data_sm of the SMSC: decode the frame, make it durable, then Acknowledge(key).
struct Delivery {
  std::uint64_t key = 0;
  WipedBytes frame = {};
};
enum class Event { kBound, kBindRefused, kLost, kThrottled, kStopped };
// For logs and metrics.
struct Notice {
  Event event = Event::kBound;
  CommandStatus status = CommandStatus::kOk;  // of a bind that was refused
  std::string_view why = {};                  // lives as long as the program
};
}  // namespace action
using Action =
    std::variant<action::Connect, action::Send, action::Close, action::Outcome, action::Delivery, action::Notice>;

// Whether it can submit, all of one moment.
struct Standing {
  bool may_submit = false;    // what is given now may leave at once, but for the window and throttling
  bool probing = false;       // the SMSC left submits unanswered, and none was answered since, whatever was bound
  std::int64_t since_ms = 0;  // when it started, was last bound, or lost that
};

class Session {
 public:
  enum class State { kIdle, kConnecting, kBinding, kBound, kWaiting, kDraining, kUnbinding, kStopped };

  // `options` must be within their ranges, and its texts fit their fields: see CheckOptions.
  explicit Session(SessionOptions options);
  // InvalidArgument names the option and its rule.
  [[nodiscard]] static absl::Status CheckOptions(const SessionOptions& options);

  void Start(std::int64_t now_ms);
  // Gives up each SMS of which nothing has left, lets the other parts of those that have begun leave, waits for the
  // answers that are due, unbinds, closes: all that within drain_ms, after which what is left is told as kUnknown. As
  // it is at once without a connection. Ends with Event::kStopped.
  void Stop(std::int64_t now_ms);

  // `pdu` is a submit_sm or data_sm; its sequence number is not read. Taken in every state but kDraining and later,
  // also while there is no connection. InvalidArgument: it cannot be encoded; ResourceExhausted: too many wait;
  // FailedPrecondition: a receiver, or stopping. Of what is not taken there is no outcome.
  [[nodiscard]] absl::Status Submit(SubmitToken token, const Pdu& pdu, std::int64_t deadline_ms, std::int64_t now_ms,
                                    PartOf part = {});
  // Answers a Delivery. A key of a connection that is gone is ignored: the SMSC sends it again.
  void Acknowledge(std::uint64_t key, CommandStatus status, std::int64_t now_ms);

  // What the socket tells. A connection that is Closed() after a Close action tells it too, or not.
  void Connected(std::int64_t now_ms);
  void Closed(std::int64_t now_ms);  // also: could not connect
  void Received(std::string_view bytes, std::int64_t now_ms);

  void Tick(std::int64_t now_ms);
  // When Tick() has something to do; nullopt: nothing is planned.
  std::optional<std::int64_t> NextDue() const;

  // In order. Close ends the connection: bytes that were to be sent before it are still sent.
  std::vector<Action> TakeActions();

  State state() const { return state_; }
  bool may_submit() const { return state_ == State::kBound && !mute_until_ms_; }
  Standing standing() const { return {may_submit(), probing_, since_ms_}; }
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t unanswered() const { return unanswered_.size(); }
  std::uint32_t window_now() const { return window_now_; }
  // The peer's version, of its bind response; TLVs are for 0x34 and above (§5.3.2.25).
  std::uint8_t peer_version() const { return peer_version_; }

 private:
  struct Waiting {
    SubmitToken token = 0;
    std::int64_t deadline_ms = 0;
    WipedBytes frame = {};        // but for its sequence number
    std::size_t validity_at = 0;  // in `frame`, of a relative validity_period; 0: it has none
    std::uint64_t sms = 0;        // counted; which it is a part of
    std::uint8_t parts = 1;       // that this has
  };
  struct Unanswered {
    std::uint64_t order = 0;
    std::int64_t until_ms = 0;
    Waiting submit = {};
  };

  void OnFrame(std::string_view frame);
  void OnRequest(const Pdu& pdu, std::string_view frame);
  void OnResponse(const Pdu& pdu);
  void OnBindResponse(const Pdu& pdu);
  void OnSubmitResponse(const Header& header, std::string_view message_id);
  void OnDelivery(const Pdu& pdu, std::string_view frame);

  void SendPdu(const Pdu& pdu);
  void SendEmpty(CommandId id, std::uint32_t sequence, CommandStatus status = CommandStatus::kOk);
  void SendBind();
  void SendWaiting();
  bool IsOver(const Waiting& one) const;
  void GiveUpWhatHasNotBegun();
  void GiveUpWaiting();
  bool AllIsIn() const { return unanswered_.empty() && waiting_.empty(); }
  void NoteAnswer();
  // While stopping, only what is needed to complete an SMS. When it can no longer leave, it waits for the end, where it
  // shows whether any other part of its SMS has left.
  bool GoesAgain(const Waiting& one) const { return state_ == State::kBound || one.parts > 1; }
  void Throttle();
  void Grow();
  void ExpireWaiting();
  void ExpireUnanswered();
  void Drop();  // the connection, and what it had under way: each submit is told as unknown
  void Lose(std::string_view why, std::int64_t pause_ms);
  void Unbind();
  void Finish();
  std::int64_t NextPause();
  std::uint32_t NextSequence();
  void Tell(Action action) { actions_.push_back(std::move(action)); }

  const SessionOptions options_;
  State state_ = State::kIdle;
  std::int64_t now_ms_ = 0;
  std::int64_t until_ms_ = 0;  // of the state: when it is given up, or left
  std::int64_t since_ms_ = 0;  // see Standing
  std::int64_t heard_ms_ = 0;
  bool enquired_ = false;
  std::optional<Framer> framer_;
  std::uint32_t sequence_ = 0;
  std::uint8_t peer_version_ = 0;

  std::uint64_t order_ = 0, sms_ = 0;
  std::map<std::uint64_t, Waiting> waiting_;        // by the order in which they came
  std::map<std::uint32_t, Unanswered> unanswered_;  // by sequence number: the window
  std::map<std::uint32_t, SubmitToken> late_;       // likewise, told as unknown: a late answer is told too
  std::uint32_t window_now_;
  std::uint32_t accepted_ = 0;  // since the window last changed
  bool throttled_ = false;      // and not all answers are in
  std::int64_t throttle_ms_ = 0, paused_until_ms_ = 0;
  std::int64_t again_ms_ = 0;

  std::uint32_t unheard_ = 0;                  // submits that were told as unknown since the last answer
  std::optional<std::int64_t> mute_until_ms_;  // no submit leaves; then the connection is given up
  bool answered_ = false;                      // a submit, since the connection was bound
  bool probing_ = false;                       // whether submits are answered again

  std::uint64_t connection_ = 0;                   // counted; the upper half of a delivery's key
  std::map<std::uint32_t, CommandId> deliveries_;  // by sequence number: what to answer with
  std::vector<Action> actions_;
};

}  // namespace smsflow::smpp
