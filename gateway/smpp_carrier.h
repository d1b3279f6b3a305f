// The carrier that submits over SMPP: opens an envelope when its turn has come, not before, submits its parts, and
// tells what the SMSC says of them, answers and receipts.
//
// A connection takes an SMS when it is bound and its window has a place, so what is taken leaves within moments, and a
// gateway that dies leaves no more than a window of each connection in doubt. One that has not been bound for its
// away_ms, or has had no place for as long as an answer may take, is away, and one that answered no submits until it
// answers one: while another stands, what is for it alone does not wait here. One thread opens and submits; each
// connection has one of its own (gateway/smsc_link.h), which tells. Thread-safe.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/hmac.h"
#include "engine/seams.h"
#include "gateway/carrier.h"
#include "gateway/notice.h"
#include "gateway/opener.h"
#include "gateway/sms_pdus.h"
#include "gateway/smsc_options.h"

namespace smsflow::gateway {

// Of one connection, since the start, but for `bound`, `waiting` and `under_way`.
struct SmscFigures {
  std::string name;
  bool bound = false;
  std::size_t waiting = 0;                                                           // SMSes that were taken, sealed
  std::size_t window = 0;                                                            // parts that may be under way
  std::size_t under_way = 0;                                                         // parts without an answer
  std::uint64_t submitted = 0, accepted = 0, refused = 0, unknown = 0, expired = 0;  // parts
  std::uint64_t late = 0;        // answers that came after it was told as unknown
  std::uint64_t invalid = 0;     // SMSes that could not be opened, or sent there
  std::uint64_t receipts = 0;    // that could be read
  std::uint64_t unreadable = 0;  // receipts that say neither an id nor a state
  std::uint64_t unmapped = 0;    // receipts with a state that nobody mapped
  std::uint64_t inbound = 0;     // SMSes from phones
  std::uint64_t nobodys = 0;     // of these, refused: to a number that is nobody's
  std::uint64_t lost = 0, throttled = 0;
};

class SmppCarrier : public Carrier {
 public:
  // What SmscLink::Make is: a simulation has links without sockets.
  using LinkMaker =
      std::function<absl::StatusOr<std::unique_ptr<SmscLink>>(SmscLinkOptions, engine::Clock&, SmscLinkEvents&)>;

  // INVALID_ARGUMENT names the connection, the option and its rule. `clock` and `inbound` outlive the carrier; without
  // `inbound` SMSes from phones are refused.
  static absl::StatusOr<std::unique_ptr<SmppCarrier>> Make(std::vector<SmscOptions> smscs,
                                                           std::unique_ptr<Opener> opener, engine::Clock& clock,
                                                           NoticeHandler notice,
                                                           const LinkMaker& make_link = SmscLink::Make,
                                                           InboundTaker* inbound = nullptr);
  ~SmppCarrier() override;

  void Start(CarrierEvents& events) override;
  // For tests, instead of Start(): the links alone; whatever waits is opened and submitted in RunOnce(), on the calling
  // thread.
  void StartLinks(CarrierEvents& events);
  void RunOnce();
  bool Take(const engine::Lease& lease, const Route* route) override;
  bool IsAway(const engine::Lease& lease, const Route* route) override;
  void Submit(std::vector<engine::Lease> leases) override;
  void Acknowledge(const std::vector<Handle>& handles) override;
  void Stop() override;

  std::vector<SmscFigures> figures() const;

 private:
  class Connection;
  struct UnderWay {
    AttemptId attempt;
    std::uint8_t number = 1, parts = 1;
    RecipientTag recipient;
    bool told = false;  // as unknown
  };

  SmppCarrier(std::unique_ptr<Opener> opener, engine::Clock& clock, NoticeHandler notice);

  void Loop();
  // One round: what is over is told, what may leave leaves. True: there is more to do at once.
  bool Serve(Connection& connection);
  void Open(Connection& connection, const engine::Lease& lease);
  void SubmitParts(Connection& connection, const AttemptId& attempt, SmsPdus& pdus, std::int64_t until_ms,
                   const RecipientTag& recipient);
  void OnOutcome(Connection& connection, const smpp::action::Outcome& outcome);
  void OnDelivery(Connection& connection, const smpp::action::Delivery& delivery);
  void OnInbound(Connection& connection, const smpp::action::Delivery& delivery, std::string_view destination);
  void OnNotice(Connection& connection, const smpp::action::Notice& notice);
  SmscReceipt ReceiptOf(Connection& connection, const smpp::Receipt& receipt, std::string_view source,
                        std::string_view destination);
  PartAnswer AnswerOf(const Connection& connection, const UnderWay& one, const smpp::action::Outcome& outcome) const;
  void Tell(const AttemptId& attempt, Reported result, About about, std::string_view cause);
  void TellNotSent(const std::vector<AttemptId>& attempts, std::string_view cause);
  RecipientTag TagOf(std::string_view digits) const;
  std::uint16_t NextReference(const RecipientTag& recipient);
  Connection* PlaceOf(const engine::Lease& lease);  // under the mutex
  void Wake();

  const std::unique_ptr<Opener> opener_;
  engine::Clock& clock_;
  const NoticeHandler notice_;
  const crypto::HmacKey tag_key_;  // of this process alone
  const std::uint32_t process_;
  InboundTaker* inbound_ = nullptr;
  CarrierEvents* events_ = nullptr;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::array<std::uint16_t, 4096> references_{};  // by recipient, roughly: of the serving thread

  mutable std::mutex mutex_;  // guards what follows, and what of connections changes
  std::condition_variable wake_;
  bool woken_ = false, stopping_ = false;
  std::uint64_t tokens_ = 0;
  std::unordered_map<AttemptId, Connection*> taken_;  // where their places are, until they come
  std::thread thread_;
};

}  // namespace smsflow::gateway
