// A whole gateway, put together: the link that it is given, its core and store, and the carrier. What
// `smsflow-gateway` runs, and what `smsflowd` runs inside itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/vault_file.h"
#include "engine/seams.h"
#include "gateway/core.h"
#include "gateway/inbound.h"
#include "gateway/link.h"
#include "gateway/loopback.h"
#include "gateway/notice.h"

namespace smsflow::gateway {

// Makes the carrier, once the keys are there. Clock, notice and `inbound` outlive it; null: nobody takes SMSes from
// phones.
using CarrierFactory = std::function<absl::StatusOr<std::unique_ptr<Carrier>>(
    std::unique_ptr<Opener> opener, engine::Clock& clock, const NoticeHandler& notice, InboundTaker* inbound)>;

struct GatewayOptions {
  std::string gateway = "loopback";    // its id, 1 to 64 bytes of [A-Za-z0-9._-]
  std::vector<std::string> tenants;    // served; at least one
  std::vector<crypto::VaultKey> keys;  // what it opens envelopes with
  bool old_envelopes = false;          // also those in the old format, which anybody can change
  std::string store;                   // folder of its store; made when missing
  std::uint64_t ballast_bytes = 0;     // a file in that folder, given up when the disk is nearly full
  std::string truth;                   // file of the truth log; empty: none
  LoopbackOptions loopback;
  CarrierFactory carrier = {};                   // empty: the loopback
  std::shared_ptr<const PaceOptions> pace = {};  // empty: all leave as soon as the carrier has a place
  CorrelatorOptions receipts = {};
  AuditOptions audit = {};                              // without a folder: none
  InboundOptions inbound = {};                          // without routes: none are taken
  std::shared_ptr<InboundSink> inbound_sink = nullptr;  // needed where there are routes
  bool open_nothing = false;                            // for benchmarks: needs no keys and no store
  NoticeHandler notice = {};                            // empty: nobody hears
};

class Gateway {
 public:
  // Called with one line when going on would be wrong. Must not return.
  using FatalHandler = std::function<void(const absl::Status&)>;

  // Blocks for the disk. INVALID_ARGUMENT names the option and its rule; RESOURCE_EXHAUSTED: the disk is too full to
  // recover the store. FAILED_PRECONDITION: it is another's, of a newer format, or in use; DATA_LOSS: it is damaged.
  // `clock` outlives the gateway.
  static absl::StatusOr<std::unique_ptr<Gateway>> Open(GatewayOptions options, std::unique_ptr<Link> link,
                                                       engine::Clock& clock, FatalHandler fatal);
  virtual ~Gateway() = default;

  virtual void Start() = 0;
  virtual void Stop() = 0;  // idempotent; what was accepted stays in the store. Blocks for a moment
  virtual CoreFigures figures() const = 0;
  virtual std::optional<SorterFigures> sorter_figures() const { return std::nullopt; }  // where there are routes
  virtual std::optional<AuditFigures> audit_figures() const { return std::nullopt; }    // where there is a log
  virtual InboundFigures inbound_figures() const { return {}; }
  // From now on it opens with these, and tells the engine so. INVALID_ARGUMENT, and all stays, when there are none.
  // Thread-safe.
  virtual absl::Status ReplaceKeys(std::vector<crypto::VaultKey> keys) = 0;
  // The same with the tenants that it serves: what is on its way goes on. Before Start() it is what it starts with.
  virtual absl::Status ReplaceTenants(std::vector<std::string> tenants) = 0;
};

// Where the store in this folder is damaged, what a person can do about it besides; anything else as it is.
absl::Status WithAdvice(const absl::Status& failed, const std::string& store);

}  // namespace smsflow::gateway
