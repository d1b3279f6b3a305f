#include "gateway/routes_config.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/toml_table.h"

namespace smsflow::gateway {
namespace {

constexpr std::size_t kSectionsMax = 10'000;

NumberPlan ReadPlan(TomlTable& table) {
  NumberPlan plan;
  table.Need("prefix");
  table.Ascii("prefix", plan.prefix, 16);
  table.Integer("digits_least", plan.digits_min, 7, 15);
  table.Integer("digits_most", plan.digits_max, 7, 15);
  return plan;
}

Route ReadRoute(TomlTable& table, const std::vector<std::string>& smscs, RateLimits& limits) {
  Route route;
  table.Need("name");
  table.Ascii("name", route.name, 64);
  table.Need("prefixes");
  table.Names("prefixes", route.prefixes);
  table.Names("tenants", route.tenants);
  table.Names("smscs", route.smscs);
  const auto known = [&smscs](const std::string& name) {
    return std::find(smscs.begin(), smscs.end(), name) != smscs.end();
  };
  if (!std::all_of(route.smscs.begin(), route.smscs.end(), known))
    table.Refuse("smscs", "must name connections of the file given with --smsc");
  std::optional<std::int64_t> rate;
  table.Integer("rate", rate, 0, kRateMax);
  if (rate.has_value()) limits.routes[route.name] = *rate;
  return route;
}

void ReadRates(TomlTable& rates, RateLimits& limits) {
  rates.Integer("tenant", limits.tenant, 0, kRateMax);
  rates.Integer("route", limits.route, 0, kRateMax);
  rates.Integer("sender", limits.sender, 0, kRateMax);
  rates.Integers("tenants", limits.tenants, 0, kRateMax);
  rates.Integers("senders", limits.senders, 0, kRateMax);
}

}  // namespace

absl::StatusOr<PaceOptions> ReadRoutesConfig(std::string_view toml, std::string_view name,
                                             const std::vector<std::string>& smscs) {
  std::vector<NumberPlan> plans;
  std::vector<Route> routes;
  RateLimits limits;
  const auto status = ReadToml(toml, name, [&](TomlTable& top) {
    const auto plan = [&](TomlTable& table) { plans.push_back(ReadPlan(table)); };
    const auto route = [&](TomlTable& table) { routes.push_back(ReadRoute(table, smscs, limits)); };
    top.Need("route");
    top.Sections("plan", plan, 1, kSectionsMax);
    top.Sections("route", route, 1, kSectionsMax);
    top.Section("rates", [&limits](TomlTable& rates) { ReadRates(rates, limits); });
  });
  if (!status.ok()) return status;
  auto made = Routes::Make(std::move(plans), std::move(routes));
  if (!made.ok()) return absl::InvalidArgumentError(std::string(name) + ": " + std::string(made.status().message()));
  return PaceOptions{*std::move(made), std::move(limits)};
}

}  // namespace smsflow::gateway
