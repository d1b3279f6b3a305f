#include "gateway/outlet.h"

#include <algorithm>

namespace smsflow::gateway {
namespace {

// Of 16 segments that leave while all wait: what is due to each class at least. Codes take the rest.
constexpr std::int64_t kParts = 16;
constexpr std::array<std::int64_t, kPriorities> kShare = {0, 3, 1};
// What is owed does not grow beyond this, so that a class that could not leave for its own rate floods nobody later.
constexpr std::int64_t kOwedMax = kParts * 16;

Rates::Who WhoIs(const Waiting& sms) { return {sms.tenant, sms.route, sms.sender}; }

}  // namespace

void Outlet::Add(Waiting sms) {
  Class& to = classes_[static_cast<std::size_t>(sms.priority)];
  auto tenant =
      std::find_if(to.tenants.begin(), to.tenants.end(), [&](const Tenant& one) { return one.name == sms.tenant; });
  if (tenant == to.tenants.end()) tenant = to.tenants.insert(to.tenants.end(), Tenant{sms.tenant, {}});
  const FlowKey key(sms.route, sms.sender);
  auto flow = std::find_if(tenant->flows.begin(), tenant->flows.end(), [&](const Flow& one) { return one.key == key; });
  if (flow == tenant->flows.end()) flow = tenant->flows.insert(tenant->flows.end(), Flow{key, {}});
  flow->queue.push_back(std::move(sms));
  ++to.size;
  ++size_;
}

std::optional<Outlet::Place> Outlet::FindReady(Class& from, std::int64_t now_ms) {
  for (auto tenant = from.tenants.begin(); tenant != from.tenants.end(); ++tenant)
    for (auto flow = tenant->flows.begin(); flow != tenant->flows.end(); ++flow) {
      const Waiting& head = flow->queue.front();
      if (rates_.WaitMs(WhoIs(head), head.segments, now_ms) == 0) return Place{tenant, flow};
    }
  return std::nullopt;
}

// Those who had their turn go to the end.
Waiting Outlet::Leave(Class& from, Place place, std::int64_t now_ms) {
  Waiting sms = std::move(place.flow->queue.front());
  place.flow->queue.pop_front();
  auto& flows = place.tenant->flows;
  if (place.flow->queue.empty())
    flows.erase(place.flow);
  else
    flows.splice(flows.end(), flows, place.flow);
  if (flows.empty())
    from.tenants.erase(place.tenant);
  else
    from.tenants.splice(from.tenants.end(), from.tenants, place.tenant);
  --from.size;
  --size_;
  rates_.Take(WhoIs(sms), sms.segments, now_ms);
  return sms;
}

// Highest first, but a class that is owed a segment goes before those above it; who is owed most, first.
std::array<std::size_t, kPriorities> Outlet::Order() const {
  std::array<std::size_t, kPriorities> order{};
  for (std::size_t i = 0; i < kPriorities; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
    const std::int64_t owed_a = classes_[a].owed >= kParts ? classes_[a].owed : 0;
    const std::int64_t owed_b = classes_[b].owed >= kParts ? classes_[b].owed : 0;
    return owed_a > owed_b;
  });
  return order;
}

void Outlet::Account(std::size_t left, std::int64_t segments) {
  for (std::size_t i = 0; i < kPriorities; ++i) {
    Class& one = classes_[i];
    if (one.size == 0 && i != left)
      one.owed = 0;  // who does not wait is owed nothing
    else
      one.owed = std::min(one.owed + segments * kShare[i], kOwedMax);
  }
  classes_[left].owed = std::max<std::int64_t>(classes_[left].owed - segments * kParts, 0);
}

std::optional<Waiting> Outlet::Next(std::int64_t now_ms) {
  for (const std::size_t i : Order()) {
    const auto place = FindReady(classes_[i], now_ms);
    if (!place) continue;
    Waiting sms = Leave(classes_[i], *place, now_ms);
    Account(i, sms.segments);
    return sms;
  }
  return std::nullopt;
}

std::vector<Waiting> Outlet::Expire(std::int64_t now_ms) {
  std::vector<Waiting> over;
  for (Class& one : classes_) {
    for (Tenant& tenant : one.tenants)
      for (Flow& flow : tenant.flows) {
        const auto late = std::stable_partition(flow.queue.begin(), flow.queue.end(),
                                                [now_ms](const Waiting& sms) { return sms.deadline_ms > now_ms; });
        over.insert(over.end(), std::make_move_iterator(late), std::make_move_iterator(flow.queue.end()));
        one.size -= static_cast<std::size_t>(flow.queue.end() - late);
        flow.queue.erase(late, flow.queue.end());
      }
    for (Tenant& tenant : one.tenants) tenant.flows.remove_if([](const Flow& flow) { return flow.queue.empty(); });
    one.tenants.remove_if([](const Tenant& tenant) { return tenant.flows.empty(); });
  }
  size_ -= over.size();
  return over;
}

std::optional<std::int64_t> Outlet::WakeMs(std::int64_t now_ms) const {
  std::optional<std::int64_t> wake_ms;
  for (const Class& one : classes_)
    for (const Tenant& tenant : one.tenants)
      for (const Flow& flow : tenant.flows) {
        const Waiting& head = flow.queue.front();
        std::int64_t at_ms = now_ms + rates_.WaitMs(WhoIs(head), head.segments, now_ms);
        for (const Waiting& sms : flow.queue) at_ms = std::min(at_ms, sms.deadline_ms);
        wake_ms = std::min(wake_ms.value_or(at_ms), at_ms);
      }
  return wake_ms;
}

}  // namespace smsflow::gateway
