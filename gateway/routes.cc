#include "gateway/routes.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace smsflow::gateway {
namespace {

constexpr std::size_t kNameMax = 64;
constexpr std::size_t kDigitsMin = 7, kDigitsMax = 15;

bool IsPrefix(std::string_view text) {
  if (!text.starts_with('+') || text.size() > kDigitsMax + 1 || text.substr(1).starts_with('0')) return false;
  return std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kNameMax && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  });
}

absl::Status Refuse(const char* what, const std::string& name, const char* rule) {
  return absl::InvalidArgumentError(absl::StrCat(what, " ", name, ": ", rule));
}

absl::Status Check(const std::vector<NumberPlan>& plans) {
  std::set<std::string> seen;
  for (const NumberPlan& plan : plans) {
    if (!IsPrefix(plan.prefix) || plan.prefix.size() < 2)
      return absl::InvalidArgumentError("plan: prefix must be + and 1 to 15 digits, the first not 0");
    if (plan.digits_min < std::max(kDigitsMin, plan.prefix.size() - 1) || plan.digits_max > kDigitsMax ||
        plan.digits_min > plan.digits_max)
      return Refuse("plan", plan.prefix, "digits must be 7 to 15, at least those of the prefix, the least first");
    if (!seen.insert(plan.prefix).second) return Refuse("plan", plan.prefix, "must not be there twice");
  }
  return absl::OkStatus();
}

absl::Status Check(const std::vector<Route>& routes) {
  std::set<std::string> names;
  std::set<std::pair<std::string, std::string>> taken;  // prefix and tenant, empty for all
  for (const Route& route : routes) {
    if (!IsName(route.name))
      return absl::InvalidArgumentError("route: name must be 1 to 64 characters of A-Z a-z 0-9 . _ -");
    if (!names.insert(route.name).second) return Refuse("route", route.name, "must not be there twice");
    if (route.prefixes.empty())
      return Refuse("route", route.name, "prefixes: at least one is needed; + takes every number");
    for (const std::string& prefix : route.prefixes) {
      if (!IsPrefix(prefix))
        return Refuse("route", route.name, "prefixes must be + and at most 15 digits, the first not 0");
      const std::vector<std::string> all = {""};
      for (const std::string& tenant : route.tenants.empty() ? all : route.tenants)
        if (!taken.emplace(prefix, tenant).second)
          return Refuse("route", route.name, "prefixes: one of them is another route's already");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Routes> Routes::Make(std::vector<NumberPlan> plans, std::vector<Route> routes) {
  if (auto status = Check(plans); !status.ok()) return status;
  if (auto status = Check(routes); !status.ok()) return status;
  if (routes.empty()) return absl::InvalidArgumentError("route: at least one is needed");
  Routes made;
  made.plans_ = std::move(plans);
  made.routes_ = std::move(routes);
  return made;
}

Routes::Way Routes::Find(std::string_view tenant, std::string_view number) const {
  const NumberPlan* plan = nullptr;
  for (const NumberPlan& one : plans_)
    if (number.starts_with(one.prefix) && (plan == nullptr || one.prefix.size() > plan->prefix.size())) plan = &one;
  if (plan == nullptr && !plans_.empty()) return {nullptr, "foreign_recipient"};
  const std::size_t digits = number.size() - 1;
  if (plan != nullptr && (digits < plan->digits_min || digits > plan->digits_max))
    return {nullptr, "invalid_recipient"};
  const Route* best = nullptr;
  std::pair<std::size_t, bool> best_rank;  // how long the prefix, whether it names the tenant
  for (const Route& route : routes_) {
    const bool names_it = std::find(route.tenants.begin(), route.tenants.end(), tenant) != route.tenants.end();
    if (!route.tenants.empty() && !names_it) continue;
    for (const std::string& prefix : route.prefixes) {
      const std::pair<std::size_t, bool> rank(prefix.size(), names_it);
      if (!number.starts_with(prefix) || (best != nullptr && rank <= best_rank)) continue;
      best = &route;
      best_rank = rank;
    }
  }
  return best == nullptr ? Way{nullptr, "no_route"} : Way{best, ""};
}

}  // namespace smsflow::gateway
