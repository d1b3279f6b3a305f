// SMSes from phones: each is durable here before the SMSC hears that it was taken, and sealed for the tenant whose
// number it was sent to, so that nobody on its way can read who wrote what. docs/inbound.md tells the whole way.
//
//   SMSC -> carrier -> Take() -> [repeated? part of a long one?] -> sealed row, synced -> answer to the SMSC
//                                                                -> sink -> taken -> the row goes
//
// - An SMSC that had no answer sends again. What came before within the route's `repeat_ms`, octet for octet, is the
// same
//   SMS when it comes on another bind, or seconds later while the first still had no answer: it is answered and not
//   told again. Else it is another SMS that says the same.
// - Parts of a long one wait, each sealed for this gateway's own key, until all are there, or `parts_ms` are over: then
//   it goes as it is, and says which parts it has.
// - What was told to the sink is told again by the next process unless it was taken: at least once, with an id.
//
// Bounded: rows that wait, parts, and what repetitions are known by; beyond, and on a disk that is nearly full, the
// SMSC is told to come again later.
//
// One thread decides, writes and tells; Take() and figures() are for any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "crypto/hmac.h"
#include "crypto/vault.h"
#include "gateway/agreed_clock.h"
#include "gateway/inbound_store.h"
#include "gateway/notice.h"
#include "smpp/protocol.h"
#include "smpp/text.h"
#include "smpp/wiped.h"

namespace smsflow::gateway {

// Whose an SMS to a number is.
struct InboundRoute {
  std::string account;  // of the SMSC
  std::string tenant;
  std::vector<std::string>
      numbers;            // as the SMSC writes them, without a plus sign; a `*` at the end is any more digits
  crypto::PublicKey key;  // what it is sealed for
  std::int64_t repeat_ms = 600'000;  // how long a repetition is known as one
};

// A deliver_sm or data_sm that is no receipt.
struct InboundDelivery {
  std::string account;
  smpp::WipedBytes frame;     // the PDU
  std::uint64_t session = 0;  // which bind it came on, never the same twice
  std::int64_t at_ms = 0;
  std::function<void(smpp::CommandStatus)> answer;  // called once, from the deciding thread; must not block
};

// What carriers know of it.
class InboundTaker {
 public:
  virtual ~InboundTaker() = default;
  // False: nobody's number.
  virtual bool Takes(std::string_view account, std::string_view destination) const = 0;
  virtual void Take(InboundDelivery delivery) = 0;
};

// Where sealed SMSes go. Thread-safe.
class InboundSink {
 public:
  using Taken = std::function<void(std::vector<std::string> ids)>;
  virtual ~InboundSink() = default;
  // `taken` is called from the sink's thread for what is durable over there.
  virtual void Start(Taken taken) = 0;
  virtual void Put(std::vector<InboundSms> sms) = 0;  // into memory; tries until it is taken or this stops
  virtual void Stop() = 0;                            // nothing is called afterwards
};

struct InboundOptions {
  std::vector<InboundRoute> routes;
  std::int64_t parts_ms = 24LL * 3'600'000;
  std::size_t waiting_max = 100'000;  // rows that nobody has taken
  std::size_t parts_max = 10'000;
  std::size_t repeats_max = 100'000;  // beyond it the oldest goes
};

// Since the start, but for `waiting` and `parts`.
struct InboundFigures {
  std::uint64_t received = 0;    // PDUs
  std::uint64_t repeated = 0;    // that had come before
  std::uint64_t kept = 0;        // whole SMSes that became durable
  std::uint64_t incomplete = 0;  // of these, without some of their parts
  std::uint64_t taken = 0;       // by the sink
  std::uint64_t later = 0;       // refused for want of room
  std::uint64_t unfit = 0;       // refused for good: nobody's number, no user data that can be read, too long
  std::size_t waiting = 0, parts = 0;
};

class Inbound : public InboundTaker {
 public:
  // All of these outlive it. `own` seals what waits here, the vault opens it; `low` tells that the disk is nearly full;
  // `fatal` as in gateway/core.h.
  Inbound(InboundOptions options, storage::Store& rows, InboundSink& sink, const crypto::PrivateKey& own,
          std::shared_ptr<const crypto::Vault> vault, const AgreedClock& clock, NoticeHandler notice,
          std::function<bool()> low, std::function<void(const absl::Status&)> fatal);
  ~Inbound() override;

  // Reads what is there; before anything else.
  [[nodiscard]] absl::Status Load();
  void Start();
  void Stop();     // what is decided is durable; deliveries that wait get no answer, so they come again. Idempotent
  void RunOnce();  // one round on the calling thread, for tests

  bool Takes(std::string_view account, std::string_view destination) const override;
  void Take(InboundDelivery delivery) override;
  void OnTaken(std::vector<std::string> ids);  // what the sink tells
  InboundFigures figures() const;

 private:
  struct Message;  // a PDU that was read
  struct Group {
    std::string account;
    std::int64_t first_ms = 0;
    std::uint8_t total = 0;
    std::map<std::uint8_t, std::string> parts;  // sealed frames by number
  };
  void Loop();
  smpp::CommandStatus Decide(const InboundDelivery& delivery);
  bool IsRepeated(const crypto::Digest16& digest, const InboundDelivery& delivery, const InboundRoute& route) const;
  smpp::CommandStatus DecidePart(const Message& message, const smpp::Concatenation& part,
                                 const InboundDelivery& delivery);
  void GiveUpUnless(const absl::Status& kept);
  absl::Status Assemble(const crypto::Digest16& name, std::int64_t at_ms);
  absl::Status Keep(const InboundRoute& route, const Message& message, std::string_view parts, std::string_view text,
                    bool is_text, std::int64_t at_ms);
  void Remember(const crypto::Digest16& digest, const InboundDelivery& delivery);
  void Forget(const std::vector<std::string>& ids);
  void Expire(std::int64_t now_ms);
  void TellOn();
  const InboundRoute* RouteOf(std::string_view account, std::string_view destination) const;
  crypto::Digest16 DigestOf(const Message& message, bool with_text) const;
  void Require(const absl::Status& status);

  const InboundOptions options_;
  std::int64_t repeat_ms_ = 0;  // the longest of a route
  InboundSink& sink_;
  const crypto::PrivateKey own_;
  const std::shared_ptr<const crypto::Vault> vault_;
  const AgreedClock& clock_;
  const NoticeHandler notice_;
  const std::function<bool()> low_;
  const std::function<void(const absl::Status&)> fatal_;
  const crypto::HmacKey digest_key_;

  // Of the deciding thread.
  InboundStore store_;
  std::map<crypto::Digest16, InboundSeen> seen_;
  std::multimap<std::int64_t, crypto::Digest16> seen_order_;  // by when they came
  std::map<crypto::Digest16, Group> groups_;
  std::size_t parts_ = 0;
  std::unordered_map<std::string, std::uint64_t> under_way_;  // ids at the sink: their rows
  std::uint64_t told_ = 0;                                    // up to this row
  std::uint64_t last_ = 0;
  std::size_t waiting_ = 0;
  std::int64_t expire_at_ms_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<InboundDelivery> deliveries_;
  std::vector<std::string> taken_;
  InboundFigures figures_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace smsflow::gateway
