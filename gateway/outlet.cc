#include "gateway/outlet.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace smsflow::gateway {
namespace {

// Of 16 segments that leave while all wait: what is due to each class at least. Codes take the rest.
constexpr std::int64_t kParts = 16;
constexpr std::array<std::int64_t, kPriorities> kShare = {0, 3, 1};
// What is owed does not grow beyond this, so that a class that could not leave for its own rate floods nobody later.
constexpr std::int64_t kOwedMax = kParts * 16;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

}  // namespace

Outlet::Outlet(RateLimits limits, const std::vector<std::string>& routes) : limits_(std::move(limits)) {
  for (const std::string& name : routes) routes_.push_back({.limit = limits_.OfRoute(name)});
}

void Outlet::Add(Waiting sms) {
  Place place;
  Route& route = routes_[sms.route];
  Class& to = ClassOf(sms);
  auto [tenant, new_tenant] = to.by_name.try_emplace(sms.lease.tenant);
  if (new_tenant) tenant->second = to.tenants.insert(to.tenants.end(), Tenant{.name = sms.lease.tenant});
  place.tenant = tenant->second;
  auto [flow, new_flow] = place.tenant->by_sender.try_emplace(sms.sender);
  if (new_flow) {
    flow->second = place.tenant->flows.insert(place.tenant->flows.end(), Flow{.sender = sms.sender});
    place.tenant->blocked_until = 0;  // it may leave at once, whatever the others wait for
  }
  if (new_flow || new_tenant) route.blocked_until = 0;
  place.flow = flow->second;
  deadlines_.emplace(sms.lease.deadline_ms, sms.lease.attempt);
  place.sms = place.flow->queue.insert(place.flow->queue.end(), std::move(sms));
  places_.emplace(place.sms->lease.attempt, place);
  ++to.size;
}

bool Outlet::Remove(const AttemptId& attempt) {
  const auto found = places_.find(attempt);
  if (found == places_.end()) return false;
  Erase(Place(found->second));
  return true;
}

Waiting Outlet::Erase(const Place& place) {
  Waiting sms = std::move(*place.sms);
  Class& from = ClassOf(sms);
  places_.erase(sms.lease.attempt);
  deadlines_.erase({sms.lease.deadline_ms, sms.lease.attempt});
  place.flow->queue.erase(place.sms);
  if (place.flow->queue.empty()) {
    place.tenant->by_sender.erase(place.flow->sender);
    place.tenant->flows.erase(place.flow);
  }
  if (place.tenant->flows.empty()) {
    from.by_name.erase(place.tenant->name);
    from.tenants.erase(place.tenant);
  }
  --from.size;
  return sms;
}

std::optional<Waiting> Outlet::Next(std::int64_t now_ms, Take take) {
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const std::size_t number = (turn_ + i) % routes_.size();
    const Waiting* const sms = FindInRoute(routes_[number], now_ms, take);
    if (sms == nullptr) continue;
    turn_ = (number + 1) % routes_.size();
    return Leave(Place(places_.at(sms->lease.attempt)), now_ms);
  }
  return std::nullopt;
}

// What is known to have to wait is passed over by its time alone: tokens become fewer by others, never more.
const Waiting* Outlet::FindInRoute(Route& route, std::int64_t now_ms, Take take) {
  if (route.size() == 0 || route.blocked_until > now_ms) return nullptr;
  if (const std::int64_t wait_ms = route.bucket ? route.bucket->WaitMs(now_ms) : 0; wait_ms > 0) {
    route.blocked_until = now_ms + wait_ms;
    return nullptr;
  }
  std::int64_t soonest_ms = kNever;
  for (const std::size_t i : Order(route))
    if (const Waiting* const sms = FindInClass(route.classes[i], now_ms, take, soonest_ms)) return sms;
  route.blocked_until = soonest_ms;
  return nullptr;
}

const Waiting* Outlet::FindInClass(Class& from, std::int64_t now_ms, Take take, std::int64_t& soonest_ms) {
  for (Tenant& tenant : from.tenants) {
    if (tenant.full_at == look_) continue;
    if (tenant.blocked_until <= now_ms) {
      if (const std::int64_t wait_ms = tenants_.WaitMs(tenant.name, now_ms); wait_ms > 0)
        tenant.blocked_until = now_ms + wait_ms;
      else if (const Waiting* const sms = FindInTenant(tenant, now_ms, take))
        return sms;
    }
    if (tenant.full_at != look_) soonest_ms = std::min(soonest_ms, tenant.blocked_until);
  }
  return nullptr;
}

const Waiting* Outlet::FindInTenant(Tenant& tenant, std::int64_t now_ms, Take take) {
  std::int64_t soonest_ms = kNever;
  for (Flow& flow : tenant.flows) {
    if (flow.blocked_until <= now_ms) {
      const std::int64_t wait_ms = senders_.WaitMs(flow.sender, now_ms);
      if (wait_ms == 0) {
        const Waiting& head = flow.queue.front();
        if (take(head)) return &head;
        tenant.full_at = look_;
        waits_for_place_ = true;
        return nullptr;
      }
      flow.blocked_until = now_ms + wait_ms;
    }
    soonest_ms = std::min(soonest_ms, flow.blocked_until);
  }
  tenant.blocked_until = soonest_ms;
  return nullptr;
}

// Those who had their turn go to the end.
Waiting Outlet::Leave(const Place& place, std::int64_t now_ms) {
  Route& route = routes_[place.sms->route];
  auto& flows = place.tenant->flows;
  flows.splice(flows.end(), flows, place.flow);
  auto& tenants = ClassOf(*place.sms).tenants;
  tenants.splice(tenants.end(), tenants, place.tenant);
  Waiting sms = Erase(place);
  if (route.limit > 0) {
    if (!route.bucket) route.bucket.emplace(route.limit, now_ms);
    route.bucket->Take(sms.segments, now_ms);
  }
  tenants_.Take(sms.lease.tenant, limits_.OfTenant(sms.lease.tenant), sms.segments, now_ms);
  senders_.Take(sms.sender, sms.sender_limit, sms.segments, now_ms);
  Account(route, static_cast<std::size_t>(sms.priority), sms.segments);
  return sms;
}

// Highest first, but a class that is owed a segment goes before those above it; who is owed most, first.
std::array<std::size_t, kPriorities> Outlet::Order(const Route& route) {
  std::array<std::size_t, kPriorities> order{};
  for (std::size_t i = 0; i < kPriorities; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&route](std::size_t a, std::size_t b) {
    const auto owed = [&route](std::size_t i) { return route.classes[i].owed >= kParts ? route.classes[i].owed : 0; };
    return owed(a) > owed(b);
  });
  return order;
}

void Outlet::Account(Route& route, std::size_t left, std::int64_t segments) {
  for (std::size_t i = 0; i < kPriorities; ++i) {
    Class& one = route.classes[i];
    if (one.size == 0 && i != left)
      one.owed = 0;  // who does not wait is owed nothing
    else
      one.owed = std::min(one.owed + segments * kShare[i], kOwedMax);
  }
  route.classes[left].owed = std::max<std::int64_t>(route.classes[left].owed - segments * kParts, 0);
}

// Whoever had no place is asked again, and with it the route whose blocked_until did not count it.
void Outlet::LookAgain() {
  ++look_;
  if (waits_for_place_)
    for (Route& route : routes_) route.blocked_until = 0;
  waits_for_place_ = false;
}

std::vector<Waiting> Outlet::TakeBack(Take is_away) {
  std::vector<Waiting> back;
  if (!waits_for_place_) return back;
  for (Route& route : routes_) {
    for (Class& from : route.classes) {
      for (auto next = from.tenants.begin(); next != from.tenants.end();) {
        const auto tenant = next++;
        if (tenant->full_at != look_ || !is_away(tenant->flows.front().queue.front())) continue;
        std::size_t left = 0;
        for (const Flow& flow : tenant->flows) left += flow.queue.size();
        // With the last one its tenant goes.
        for (; left != 0; --left)
          back.push_back(Erase(Place(places_.at(tenant->flows.front().queue.front().lease.attempt))));
      }
    }
  }
  return back;
}

std::vector<Waiting> Outlet::Expire(std::int64_t wall_ms) {
  std::vector<Waiting> over;
  while (!deadlines_.empty() && deadlines_.begin()->first <= wall_ms)
    over.push_back(Erase(Place(places_.at(deadlines_.begin()->second))));
  return over;
}

std::optional<std::int64_t> Outlet::WakeInMs(std::int64_t now_ms, std::int64_t wall_ms) const {
  if (places_.empty()) return std::nullopt;
  std::int64_t in_ms = deadlines_.begin()->first - wall_ms;
  for (const Route& route : routes_)
    if (route.size() > 0 && route.blocked_until != kNever) in_ms = std::min(in_ms, route.blocked_until - now_ms);
  return std::max<std::int64_t>(in_ms, 0);
}

std::optional<std::int64_t> Outlet::Tokens(std::size_t route, std::int64_t now_ms) const {
  if (routes_[route].limit == 0) return std::nullopt;
  if (!routes_[route].bucket) return TokenBucket(routes_[route].limit, now_ms).Level(now_ms);
  return routes_[route].bucket->Level(now_ms);
}

}  // namespace smsflow::gateway
