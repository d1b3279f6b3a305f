// The gateway's way to one SMSC: a transceiver, or a transmitter and a receiver beside each other, that come back by
// themselves when they are lost. The rules of a connection are those of smpp/session.h; here are its sockets, its
// thread and its clock.
//
// Thread-safe. Submit() and Acknowledge() take what they are given into memory and do not wait for the network. Bounded
// as the session is; a peer that does not read what it is sent is closed at 4 MiB.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/seams.h"
#include "smpp/session.h"

namespace smsflow::gateway {

struct SmscLinkOptions {
  std::string host = "127.0.0.1";  // a name or an address
  std::uint16_t port = 2775;
  // Its `bind` is not read: kBindTransceiver, or with `pair` one of each.
  smpp::SessionOptions session = {};
  bool pair = false;
  bool tls = false;
  std::string ca_pem = {}, cert_pem = {}, key_pem = {};  // of TLS; see smsc_stream.h
};

// Called from the link's thread, one at a time; must not block. They may call the link, but not Stop().
class SmscLinkEvents {
 public:
  virtual ~SmscLinkEvents() = default;
  virtual void OnOutcome(const smpp::action::Outcome& outcome) = 0;
  // Make it durable, then Acknowledge(delivery.key).
  virtual void OnDelivery(const smpp::action::Delivery& delivery) = 0;
  virtual void OnNotice(const smpp::action::Notice& notice) = 0;
};

// Made stopped; Start() begins, Stop() or the destructor ends it for good.
class SmscLink {
 public:
  // `clock` and `events` outlive the link. InvalidArgument names the option and its rule. Nothing is connected yet.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<SmscLink>> Make(SmscLinkOptions options, engine::Clock& clock,
                                                                      SmscLinkEvents& events);
  virtual ~SmscLink() = default;

  virtual void Start() = 0;
  // As smpp::Session::Submit; the deadline is on clock.SteadyMs().
  [[nodiscard]] virtual absl::Status Submit(smpp::SubmitToken token, const smpp::Pdu& pdu, std::int64_t deadline_ms,
                                            smpp::PartOf part) = 0;
  // Of the bind that submits.
  virtual smpp::Standing standing() = 0;
  virtual void Acknowledge(std::uint64_t key, smpp::CommandStatus status) = 0;
  // Waits for the answers that are due, unbinds, closes, ends the thread: at most twice the session's drain_ms and a
  // second, but for a host's name that is being looked up. Every submit has had its outcome then; no event comes
  // afterwards.
  virtual void Stop() = 0;
};

}  // namespace smsflow::gateway
