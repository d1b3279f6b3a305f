#include "gateway/rates.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace smsflow::gateway {
namespace {

constexpr std::size_t kPruneAtLeast = 1024;

std::int64_t Named(const std::map<std::string, std::int64_t, std::less<>>& named, std::string_view name,
                   std::int64_t other) {
  const auto found = named.find(name);
  return found == named.end() ? other : found->second;
}

}  // namespace

Rates::Rates(RateLimits limits) : limits_(std::move(limits)) {}

template <class Visit>
void Rates::ForEachLimit(const Who& who, Visit visit) const {
  const std::string tenant(who.tenant), route(who.route), sender = absl::StrCat(tenant, "/", std::string(who.sender));
  const auto one = [&](const char* kind, const std::string& name, std::int64_t per_second) {
    if (per_second > 0) visit(Limit{absl::StrCat(kind, name), per_second});
  };
  one("t", tenant, Named(limits_.tenants, tenant, limits_.tenant));
  one("r", route, Named(limits_.routes, route, limits_.route));
  one("s", sender, Named(limits_.senders, sender, limits_.sender));
}

std::int64_t Rates::WaitMs(const Who& who, std::int64_t segments, std::int64_t now_ms) const {
  std::int64_t wait_ms = 0;
  ForEachLimit(who, [&](const Limit& limit) {
    const auto found = buckets_.find(limit.bucket);
    if (found != buckets_.end()) wait_ms = std::max(wait_ms, found->second.WaitMs(segments, now_ms));
  });
  return wait_ms;
}

void Rates::Take(const Who& who, std::int64_t segments, std::int64_t now_ms) {
  ForEachLimit(who, [&](const Limit& limit) {
    buckets_.try_emplace(limit.bucket, limit.per_second, now_ms).first->second.Take(segments, now_ms);
  });
  if (buckets_.size() >= prune_at_) Prune(now_ms);
}

// Each time that there are twice as many as were left: so it costs nothing that grows.
void Rates::Prune(std::int64_t now_ms) {
  std::erase_if(buckets_, [now_ms](const auto& entry) { return entry.second.Full(now_ms); });
  prune_at_ = std::max(kPruneAtLeast, buckets_.size() * 2);
}

std::int64_t Rates::LimitOfRoute(std::string_view route) const { return Named(limits_.routes, route, limits_.route); }

}  // namespace smsflow::gateway
