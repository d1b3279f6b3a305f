#include "server/policies.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "crypto/hash.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server {

namespace {

engine::Policy Encode(const workflows::delivery::Policy& chosen) {
  engine::Policy policy;
  policy.bytes = workflows::delivery::EncodePolicy(chosen);
  policy.digest = crypto::Cut(crypto::Sha256(policy.bytes));
  return policy;
}

struct Table {
  engine::Policy none;  // of a workflow that this configuration does not speak of
  engine::Policy by_default;
  std::map<std::string, engine::Policy, std::less<>> by_tenant;
};

}  // namespace

engine::Policies MakePolicies(const Config& config) {
  auto table = std::make_shared<Table>();
  table->none.digest = crypto::Cut(crypto::Sha256(table->none.bytes));
  table->by_default = Encode(config.delivery);
  for (const auto& [tenant, policy] : config.tenants) table->by_tenant[tenant] = Encode(policy);
  return [table](std::string_view tenant, std::uint16_t workflow) -> const engine::Policy& {
    if (workflow != workflows::delivery::kWorkflowNumber) return table->none;
    const auto found = table->by_tenant.find(tenant);
    return found == table->by_tenant.end() ? table->by_default : found->second;
  };
}

}  // namespace smsflow::server
