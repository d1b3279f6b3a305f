// How fast SMSes may leave: so many segments a second for a tenant, for a route and for a sender, each of which may
// have a limit or none. One leaves when all of its limits allow it, and then counts for all of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gateway/token_bucket.h"

namespace smsflow::gateway {

// Segments a second; 0: no limit.
struct RateLimits {
  using Named = std::map<std::string, std::int64_t, std::less<>>;
  std::int64_t tenant = 0, route = 0, sender = 0;  // of each that is not named
  Named tenants = {}, routes = {};
  // Of a tenant's sender, as "tenant/sender": another tenant's of the same name is another one.
  Named senders = {};

  static std::int64_t Of(const Named& named, std::string_view name, std::int64_t other) {
    const auto found = named.find(name);
    return found == named.end() ? other : found->second;
  }
  std::int64_t OfTenant(std::string_view name) const { return Of(tenants, name, tenant); }
  std::int64_t OfRoute(std::string_view name) const { return Of(routes, name, route); }
  std::int64_t OfSender(std::string_view tenant_and_sender) const { return Of(senders, tenant_and_sender, sender); }
};

// A bucket for each of those that have a limit. What was seldom used takes no memory: a bucket that is full again is
// the same as none. Not thread-safe.
template <class Key>
class Buckets {
 public:
  // How many milliseconds from now until something of `key` may leave; 0: now.
  std::int64_t WaitMs(const Key& key, std::int64_t now_ms) const {
    const auto found = buckets_.find(key);
    return found == buckets_.end() ? 0 : found->second.WaitMs(now_ms);
  }
  // `per_second` 0: nothing is counted.
  void Take(const Key& key, std::int64_t per_second, std::int64_t segments, std::int64_t now_ms) {
    if (per_second == 0) return;
    buckets_.try_emplace(key, per_second, now_ms).first->second.Take(segments, now_ms);
    if (buckets_.size() >= prune_at_) Prune(now_ms);
  }
  std::size_t size() const { return buckets_.size(); }

 private:
  static constexpr std::size_t kPruneAtLeast = 1024;

  // Each time that there are twice as many as were left: so it costs nothing that grows.
  void Prune(std::int64_t now_ms) {
    std::erase_if(buckets_, [now_ms](const auto& entry) { return entry.second.Full(now_ms); });
    prune_at_ = std::max(kPruneAtLeast, buckets_.size() * 2);
  }

  std::unordered_map<Key, TokenBucket> buckets_;
  std::size_t prune_at_ = kPruneAtLeast;
};

}  // namespace smsflow::gateway
