// In which order SMSes leave, and when: what waits, by priority, by tenant and by what its rates allow.
//
// - A one-time code leaves before what is transactional, and that before bulk. But of what leaves while all of them
// wait,
//   one segment in 16 is bulk, and three more are transactional: so nothing starves, however many codes there are.
// - Within a priority the tenants take turns, and within a tenant its senders on each route.
// - What is from one sender on one route leaves in the order in which it came. One that has to wait for its rate holds
// up
//   these alone.
// - What has not left at its deadline is told of, and does not leave.
//
// Pure: times come in, in milliseconds. Not thread-safe. Its memory is what waits; whoever gives credit bounds that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "gateway/rates.h"

namespace smsflow::gateway {

enum class Priority : std::uint8_t { kCode, kTransactional, kBulk };
inline constexpr std::size_t kPriorities = 3;

// One SMS that waits.
struct Waiting {
  std::uint64_t id = 0;  // the caller's
  Priority priority = Priority::kTransactional;
  std::string tenant, route, sender;
  std::int64_t segments = 1;     // at least 1
  std::int64_t deadline_ms = 0;  // on the same clock as `now_ms`
};

class Outlet {
 public:
  explicit Outlet(RateLimits limits) : rates_(std::move(limits)) {}

  void Add(Waiting sms);
  // The next one that may leave now; it counts against its rates.
  std::optional<Waiting> Next(std::int64_t now_ms);
  // What is past its deadline; no longer there.
  std::vector<Waiting> Expire(std::int64_t now_ms);
  // When to ask again: the earliest moment at which one may leave or is over. nullopt: nothing waits.
  std::optional<std::int64_t> WakeMs(std::int64_t now_ms) const;
  std::size_t size() const { return size_; }
  std::size_t size(Priority priority) const { return classes_[static_cast<std::size_t>(priority)].size; }
  const Rates& rates() const { return rates_; }

 private:
  using FlowKey = std::pair<std::string, std::string>;  // route and sender
  struct Flow {
    FlowKey key;
    std::deque<Waiting> queue;  // never empty
  };
  struct Tenant {
    std::string name;
    std::list<Flow> flows;  // whose turn it is, first; never empty
  };
  struct Class {
    std::list<Tenant> tenants;  // whose turn it is, first
    std::size_t size = 0;
    std::int64_t owed = 0;  // sixteenths of a segment that it let others have
  };
  // The first flow of this class, by turns, whose head may leave now.
  struct Place {
    std::list<Tenant>::iterator tenant;
    std::list<Flow>::iterator flow;
  };
  std::optional<Place> FindReady(Class& from, std::int64_t now_ms);
  Waiting Leave(Class& from, Place place, std::int64_t now_ms);
  std::array<std::size_t, kPriorities> Order() const;
  void Account(std::size_t left, std::int64_t segments);

  Rates rates_;
  std::array<Class, kPriorities> classes_;
  std::size_t size_ = 0;
};

}  // namespace smsflow::gateway
