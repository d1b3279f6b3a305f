// How fast SMSes may leave: so many segments a second for a tenant, for a route and for a sender, each of which may
// have a limit or none. One leaves when all of its limits allow it, and then counts for all of them.
//
// Not thread-safe. What was seldom used takes no memory: a bucket that is full again is the same as none.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "gateway/token_bucket.h"

namespace smsflow::gateway {

// Segments a second; 0: no limit.
struct RateLimits {
  std::int64_t tenant = 0, route = 0, sender = 0;  // of each that is not named
  std::map<std::string, std::int64_t, std::less<>> tenants = {}, routes = {};
  // Of a tenant's sender, as "tenant/sender": another tenant's of the same name is another one.
  std::map<std::string, std::int64_t, std::less<>> senders = {};
};

class Rates {
 public:
  explicit Rates(RateLimits limits);

  struct Who {
    std::string_view tenant, route, sender;
  };
  // How many milliseconds from now until so many segments may leave; 0: now. Takes nothing.
  std::int64_t WaitMs(const Who& who, std::int64_t segments, std::int64_t now_ms) const;
  void Take(const Who& who, std::int64_t segments, std::int64_t now_ms);

  // The segments a second that one tenant, or all of it, can reach over a route: what credit need not exceed. 0: no
  // limit.
  std::int64_t LimitOfRoute(std::string_view route) const;
  std::size_t buckets() const { return buckets_.size(); }

 private:
  struct Limit {
    std::string bucket;
    std::int64_t per_second = 0;
  };
  template <class Visit>
  void ForEachLimit(const Who& who, Visit visit) const;
  void Prune(std::int64_t now_ms);

  const RateLimits limits_;
  std::map<std::string, TokenBucket, std::less<>> buckets_;  // the kind's letter before the name
  std::size_t prune_at_ = 1024;
};

}  // namespace smsflow::gateway
