// Scopes in which nothing may leave. A row per scope stands in every shard, written by tells, so that each leave reads
// it in its own shard.
#include <algorithm>
#include <utility>

#include "engine/partition.h"
#include "storage/records.h"

namespace smsflow::engine {

void Partition::Handle(Round& round, PauseItem& item) {
  const PauseRequest& request = item.request;
  stored::BroadcastCommand command;
  stored::PauseChange& change = *command.mutable_pause();
  change.set_scope(static_cast<std::uint32_t>(request.scope));
  change.set_tenant(request.tenant);
  change.set_value(request.value);
  change.set_index(request.index);
  change.set_resume(request.resume);
  change.set_command(item.command);
  stored::PauseRow& row = *change.mutable_row();
  row.set_reason(request.reason);
  row.set_actor(request.actor);
  row.set_since_ms(round.now_ms);
  switch (request.scope) {
    case storage::PauseScope::kAll:
      row.set_scope("all");
      break;
    case storage::PauseScope::kTenant:
      row.set_scope("tenant " + request.tenant);
      break;
    case storage::PauseScope::kIndexValue:
      row.set_scope(request.index_name + " " + request.value + " of tenant " + request.tenant);
      break;
    case storage::PauseScope::kGateway:
      row.set_scope("gateway " + request.value);
      row.set_gateway(request.value);
      break;
  }
  stored::TellRow tell;
  tell.set_broadcast(command.SerializeAsString());
  tell.set_at_ms(round.now_ms);
  Shard& home = shard(item.home);
  for (std::uint16_t s = 0; s < shared_.options.shards; ++s) WriteTell(round, home, ShardId{s}, tell);
}

namespace {

storage::Hash16 HashOf(const storage::IndexKeys& keys, storage::PauseScope scope, std::string_view tenant,
                       std::uint32_t index, std::string_view value) {
  if (scope == storage::PauseScope::kIndexValue)
    return keys.IndexValue(tenant, static_cast<std::uint16_t>(index), value);
  return keys.Pause(tenant, value);
}

}  // namespace

void Partition::ChangePause(Round& round, Shard& home, const stored::PauseChange& change) {
  const auto scope = static_cast<storage::PauseScope>(change.scope());
  const storage::Hash16 hash =
      HashOf(*shared_.parts.index_keys, scope, change.tenant(), change.index(), change.value());
  const std::string& gateway = change.row().gateway();
  const bool changed =
      change.resume() ? home.pauses.Remove(scope, hash, gateway) : home.pauses.Add(scope, hash, gateway);
  if (changed && change.resume()) {
    storage::DeletePause(round.batch, home.id, scope, hash);
    ready_again_ = true;
  } else if (changed) {
    storage::PutPause(round.batch, home.id, scope, hash, change.row());
  }
  round.answers.push_back(
      [this, command = change.command(), changed] { shared_.broadcasts.Finished(command, {}, changed); });
}

// Those held by a pause wait together, apart from their lane: it ends for all of them at once. nullopt: none holds it.
// Pauses of gateways are no matter of here: they are asked when a peer is chosen.
std::optional<storage::Lane8> Partition::PausedLane(const Shard& home, const Loaded& loaded) const {
  if (home.pauses.empty()) return std::nullopt;
  const storage::IndexKeys& keys = *shared_.parts.index_keys;
  const auto held = [&](storage::PauseScope scope, const storage::Hash16& value) -> std::optional<storage::Lane8> {
    if (!home.pauses.Has(scope, value)) return std::nullopt;
    storage::Lane8 lane;
    std::copy_n(value.begin(), lane.size(), lane.begin());
    lane[0] = static_cast<std::uint8_t>(lane[0] ^ static_cast<std::uint8_t>(scope));
    return lane;
  };
  using storage::PauseScope;
  if (home.pauses.Any(PauseScope::kAll))
    if (const auto lane = held(PauseScope::kAll, keys.Pause("", ""))) return lane;
  if (home.pauses.Any(PauseScope::kTenant))
    if (const auto lane = held(PauseScope::kTenant, keys.Pause(loaded.head.tenant(), ""))) return lane;
  if (home.pauses.Any(PauseScope::kIndexValue))
    for (const auto& value : loaded.head.index())
      if (const auto lane = held(PauseScope::kIndexValue, HashOf(keys, PauseScope::kIndexValue, loaded.head.tenant(),
                                                                 value.index(), value.value())))
        return lane;
  return std::nullopt;
}

}  // namespace smsflow::engine
