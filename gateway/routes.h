// Which way an SMS takes, by the first digits of its number; and which numbers there are. Both are configuration: no
// country, operator or number plan is built in.
//
// A plan says which numbers of a prefix can be: how many digits they have. With plans, a number that none of them has
// is foreign; without any, every number of E.164 will do. A route takes the numbers of its prefixes, and of its tenants
// where it names some; the longest prefix wins, then the route that names the tenant. Plain values; safe to read from
// any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace smsflow::gateway {

struct NumberPlan {
  std::string prefix;                           // `+` and digits
  std::size_t digits_min = 7, digits_max = 15;  // of the whole number, without the `+`
};

struct Route {
  std::string name;                       // 1 to 64 bytes of [A-Za-z0-9._-]
  std::vector<std::string> prefixes;      // `+` and digits; "+" takes every number
  std::vector<std::string> tenants = {};  // empty: all
  std::vector<std::string> smscs = {};    // connections that it leaves by, each as it has a place; empty: any
};

class Routes {
 public:
  // INVALID_ARGUMENT names the plan or route and the rule. Two routes must not take the same prefix of the same tenant.
  static absl::StatusOr<Routes> Make(std::vector<NumberPlan> plans, std::vector<Route> routes);

  // What becomes of a number: a route, or the cause (of docs/hand-over.md) for which there is none.
  struct Way {
    const Route* route = nullptr;  // lives as long as this object
    std::string_view cause;        // "foreign_recipient", "invalid_recipient" or "no_route" when there is none
  };
  // `number` has the form of E.164.
  Way Find(std::string_view tenant, std::string_view number) const;
  const std::vector<Route>& all() const { return routes_; }

 private:
  Routes() = default;
  std::vector<NumberPlan> plans_;
  std::vector<Route> routes_;
};

}  // namespace smsflow::gateway
