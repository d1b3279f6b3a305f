// Who is in which set: read at the moment of a step, changed by a workflow's decision or by a sweep. What the round has
// decided and not yet stored counts.
#include <string>
#include <utility>

#include "engine/partition.h"
#include "storage/records.h"

namespace smsflow::engine {

bool Partition::IsMember(const Round& round, const storage::Key& key) {
  if (const auto it = round.memberships.find(key.view()); it != round.memberships.end()) return it->second;
  const auto row = store().Get(storage::Family::kIndexes, key);
  if (!row.ok()) Fail(row.status());
  return row->has_value();
}

std::uint64_t Partition::Memberships(const Round& round, const Shard& shard, Loaded& loaded, std::uint64_t sets) {
  if (sets == 0 || loaded.head.target().empty() || shard.memberships == 0) return 0;
  if (loaded.members_read == shard.memberships && (sets & ~loaded.members_of) == 0) return loaded.members & sets;
  const auto tenant = shared_.parts.index_keys->Tenant(loaded.head.tenant());
  const auto target = shared_.parts.index_keys->Target(loaded.head.tenant(), loaded.head.target());
  std::uint64_t members = 0;
  for (std::uint8_t set = 0; set < 64; ++set) {
    if ((sets >> set & 1) == 0) continue;
    if (IsMember(round, storage::MembershipKey(shard.id, set, tenant, target))) members |= std::uint64_t{1} << set;
  }
  loaded.members_read = shard.memberships;
  loaded.members_of = sets;
  loaded.members = members;
  return members;
}

// True when it was different before. Who is a member already stays one since then.
bool Partition::ChangeMembership(Round& round, Shard& shard, const std::string& tenant, const std::string& target,
                                 const workflows::MembershipChange& change, std::string_view actor) {
  const auto tenant_hash = shared_.parts.index_keys->Tenant(tenant);
  const auto target_hash = shared_.parts.index_keys->Target(tenant, target);
  const storage::Key key = storage::MembershipKey(shard.id, change.set, tenant_hash, target_hash);
  if (IsMember(round, key) == change.member) return false;
  round.memberships.insert_or_assign(std::string(key.view()), change.member);
  ++shard.memberships;
  if (!change.member) {
    storage::DeleteMembership(round.batch, shard.id, change.set, tenant_hash, target_hash);
    return true;
  }
  stored::MembershipRow row;
  row.set_tenant(tenant);
  row.set_target(target);
  row.set_since_ms(round.now_ms);
  row.set_actor(std::string(actor));
  storage::PutMembership(round.batch, shard.id, change.set, tenant_hash, target_hash, row);
  return true;
}

}  // namespace smsflow::engine
