// Looks into what comes, before it waits: which route its number takes, its priority, who sends it, how many segments
// its text is. What it opened is wiped at once; the SMS waits sealed, and is opened again when it leaves. So an SMS
// costs two openings, and nothing readable lies in a queue.
//
// Thread-safe. One thread opens, in the order in which they came. Its memory is what was given to it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "crypto/hmac.h"
#include "gateway/opener.h"
#include "gateway/outlet.h"
#include "gateway/routes.h"

namespace smsflow::gateway {

// The configuration of routes and rates.
struct PaceOptions {
  Routes routes;
  RateLimits limits = {};
};

// As many SMSes of `tenants` as can leave within some seconds; `most` where nothing limits them. What waits in a
// gateway can no longer be cancelled.
std::uint32_t CreditFor(const PaceOptions& options, const std::vector<std::string>& tenants, std::uint32_t most);

struct Sorted {
  Waiting sms;
  // There is no way for it, for this reason: it is not submitted.
  std::optional<Unreadable> refusal = {};
  bool for_now = false;  // another configuration may have a way
};

// Since the start.
struct SorterFigures {
  std::uint64_t opened = 0;
  std::uint64_t unreadable = 0;  // that could not be opened, or are no SMS
  std::uint64_t unroutable = 0;  // foreign, not of their plan, or without a route
};

class Sorter {
 public:
  using Done = std::function<void(std::vector<Sorted>)>;

  Sorter(std::shared_ptr<const PaceOptions> pace, std::unique_ptr<Opener> opener);
  ~Sorter() { Stop(); }

  // `done` is called from its thread, some at a time; must not block.
  void Start(Done done);
  void Add(std::vector<engine::Lease> leases);
  void Stop();  // gives up what was not looked into; idempotent
  SorterFigures figures() const;

  // For tests, instead of Start(): who hears, and all that waits on the calling thread.
  void Listen(Done done) { done_ = std::move(done); }
  void RunOnce();

 private:
  void Loop();
  std::vector<engine::Lease> NextOf(std::size_t most);
  std::vector<Sorted> Sort(std::vector<engine::Lease> leases);
  Sorted SortOne(engine::Lease lease);
  std::uint64_t SenderTag(std::string_view tenant_and_sender) const;

  const std::shared_ptr<const PaceOptions> pace_;
  const std::unique_ptr<Opener> opener_;
  const crypto::HmacKey tag_key_;  // of this process alone
  Done done_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<engine::Lease> waiting_;
  SorterFigures figures_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace smsflow::gateway
