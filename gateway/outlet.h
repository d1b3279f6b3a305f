// In which order SMSes leave, and when: what waits, by route, by priority, by tenant and by what its rates allow.
//
// - A one-time code leaves before what is transactional, and that before bulk. But of what leaves over a route while
//   all of them wait, one segment in 16 is bulk, and three more are transactional: so nothing starves, however many
//   codes there are.
// - Within a priority the tenants take turns, and within a tenant its senders.
// - What is from one sender on one route, of one priority, leaves in the order in which it came. One that has to wait
//   for its rate holds up these alone; a route or a tenant that has to wait holds up no other.
// - What has not left at its deadline is told of, and does not leave.
//
// Pure: times come in, in milliseconds; `now_ms` is of a clock that does not go back, a deadline is wall time. Not
// thread-safe. Its memory is what waits; whoever gives credit bounds that. What waits is sealed, and of its sender and
// number nothing is kept that could be read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "engine/bus.h"
#include "gateway/plaintext.h"
#include "gateway/rates.h"

namespace smsflow::gateway {

// One SMS that waits.
struct Waiting {
  engine::Lease lease;  // as it came
  std::size_t route = 0;
  Priority priority = Priority::kTransactional;
  std::uint64_t sender = 0;       // tells a tenant's senders apart
  std::int64_t sender_limit = 0;  // segments a second; 0: none
  std::int64_t segments = 1;      // at least 1
};

class Outlet {
 public:
  // `routes` has the names of those that Waiting::route counts; one without a name where there are none.
  Outlet(RateLimits limits, const std::vector<std::string>& routes);

  // REQUIRES that it is not there yet.
  void Add(Waiting sms);
  bool Has(const AttemptId& attempt) const { return places_.contains(attempt); }
  bool Remove(const AttemptId& attempt);

  // The next one that may leave now and for which `take` finds a place; it counts against its rates. When `take` says
  // no, its tenant's are left out on that route until LookAgain().
  using Take = absl::FunctionRef<bool(const Waiting&)>;
  std::optional<Waiting> Next(std::int64_t now_ms, Take take);
  void LookAgain();
  // Of those for whom there was no place since LookAgain(): all of a tenant's on a route whose way `is_away`, asked
  // with one of them. They are no longer there, and count against no rate.
  std::vector<Waiting> TakeBack(Take is_away);
  // What is past its deadline; no longer there.
  std::vector<Waiting> Expire(std::int64_t wall_ms);

  // Once Next() has none: in how many milliseconds to ask again, for a rate or a deadline. nullopt: no such thing.
  std::optional<std::int64_t> WakeInMs(std::int64_t now_ms, std::int64_t wall_ms) const;
  // Since LookAgain() a `take` said no.
  bool WaitsForPlace() const { return waits_for_place_; }

  std::size_t size() const { return places_.size(); }
  std::size_t size(std::size_t route, Priority priority) const {
    return routes_[route].classes[static_cast<std::size_t>(priority)].size;
  }
  // Segments that may leave over it now; nullopt: it has no limit.
  std::optional<std::int64_t> Tokens(std::size_t route, std::int64_t now_ms) const;

 private:
  struct Flow {  // of one sender
    std::uint64_t sender = 0;
    std::list<Waiting> queue = {};   // never empty
    std::int64_t blocked_until = 0;  // before that its rate lets nothing go
  };
  struct Tenant {
    std::string name;
    std::list<Flow> flows = {};  // whose turn it is, first; never empty
    std::unordered_map<std::uint64_t, std::list<Flow>::iterator> by_sender = {};
    std::int64_t blocked_until = 0;  // likewise, or all of its senders'
    std::uint64_t full_at = 0;       // the look at which there was no place
  };
  struct Class {
    std::list<Tenant> tenants = {};  // whose turn it is, first
    std::unordered_map<std::string, std::list<Tenant>::iterator> by_name = {};
    std::size_t size = 0;
    std::int64_t owed = 0;  // sixteenths of a segment that it let others have
  };
  struct Route {
    std::optional<TokenBucket> bucket = {};  // made when first used
    std::int64_t limit = 0;
    std::array<Class, kPriorities> classes = {};
    std::int64_t blocked_until = 0;
    std::size_t size() const { return classes[0].size + classes[1].size + classes[2].size; }
  };
  struct Place {
    std::list<Tenant>::iterator tenant;
    std::list<Flow>::iterator flow;
    std::list<Waiting>::iterator sms;
  };

  Class& ClassOf(const Waiting& sms) { return routes_[sms.route].classes[static_cast<std::size_t>(sms.priority)]; }
  // The one that may leave now, if any.
  const Waiting* FindInRoute(Route& route, std::int64_t now_ms, Take take);
  const Waiting* FindInClass(Class& from, std::int64_t now_ms, Take take, std::int64_t& soonest_ms);
  const Waiting* FindInTenant(Tenant& tenant, std::int64_t now_ms, Take take);
  Waiting Leave(const Place& place, std::int64_t now_ms);
  Waiting Erase(const Place& place);
  static std::array<std::size_t, kPriorities> Order(const Route& route);
  static void Account(Route& route, std::size_t left, std::int64_t segments);

  const RateLimits limits_;
  std::vector<Route> routes_;
  std::size_t turn_ = 0;  // the route that is asked first
  Buckets<std::string> tenants_;
  Buckets<std::uint64_t> senders_;
  std::unordered_map<AttemptId, Place> places_;
  std::set<std::pair<std::int64_t, AttemptId>> deadlines_;
  std::uint64_t look_ = 1;
  bool waits_for_place_ = false;
};

}  // namespace smsflow::gateway
