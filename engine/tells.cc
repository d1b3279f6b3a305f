// Events from one shard to another, applied exactly once: the source keeps a numbered row until the destination has
// stored, in the batch that holds the effect, how far it has applied them.
#include <algorithm>
#include <utility>

#include "engine/partition.h"
#include "storage/records.h"

namespace smsflow::engine {

void Partition::WriteTell(Round& round, Shard& source, ShardId destination, stored::TellRow row) {
  const std::uint64_t sequence = NextTell(source, destination);
  storage::PutTell(round.batch, source.id, destination, sequence, row);
  round.tells.emplace_back(destination, TellItem{source.id, destination, sequence, std::move(row)});
}

// Numbers go on where rows or, once those are deleted, the destination's own count ended.
std::uint64_t Partition::NextTell(Shard& source, ShardId destination) {
  const auto [it, fresh] = source.tell_next.try_emplace(destination.value, 0);
  if (fresh) {
    const auto applied = storage::GetAppliedTell(store(), destination, source.id);
    if (!applied.ok()) Fail(applied.status());
    const std::string prefix(storage::Key('l', source.id).Add16(destination.value).view());
    const auto last = store().Scan(storage::Family::kQueues, prefix, storage::PrefixEnd(prefix), /*reverse=*/true);
    if (!last->status().ok()) Fail(last->status());
    it->second = std::max(*applied, last->Valid() ? storage::SequenceOfKey(last->key()) : 0);
  }
  return ++it->second;
}

void Partition::Handle(Round& round, TellItem& item) {
  Shard& home = shard(item.destination);
  std::uint64_t& applied = home.tell_applied[item.source.value];
  if (item.sequence <= applied) {  // told again after a restart
    round.tells_applied.try_emplace({item.destination.value, item.source.value}, applied);
    return;
  }
  if (item.sequence != applied + 1)
    Fail(absl::DataLossError("tells from shard " + std::to_string(item.source.value) + " to " +
                             std::to_string(item.destination.value) + " have a gap"));
  applied = item.sequence;
  round.tells_applied[{item.destination.value, item.source.value}] = item.sequence;
  ++counts_.tells;

  if (!item.row.broadcast().empty()) {
    stored::BroadcastCommand command;
    if (!command.ParseFromString(item.row.broadcast())) Fail(absl::DataLossError("a broadcast cannot be read"));
    if (command.has_sweep()) {
      StartSweep(round, home, std::move(*command.mutable_sweep()));
    } else if (command.has_pause()) {
      ChangePause(round, home, command.pause());
    }
    return;
  }
  const auto id = InstanceId::FromBytes(item.row.instance());
  if (!id) Fail(absl::DataLossError("a tell names no instance"));
  auto found = instances_.Find(*id);
  if (!found.ok()) Fail(found.status());
  // Never refused: what is gone, or of another tenant, takes it without effect.
  if (*found == nullptr || (*found)->head.tenant() != item.row.tenant()) return;
  workflows::Event event;
  event.kind = static_cast<std::uint16_t>(item.row.event());
  event.body = item.row.event_body();
  Decide(round, home, **found, event, {item.row.actor()});
}

// Rows up to here are only history. Deleting them needs no sync of its own: it goes with the next batch, or the marks.
void Partition::Handle(Round&, TellsAppliedItem& item) {
  std::uint64_t& told = tells_told_[{item.source, item.destination}];
  told = std::max(told, item.sequence);
}

void Partition::ForgetTells(Round& round) {
  for (const auto& [shards, sequence] : tells_told_)
    round.batch.DeleteRange(storage::Family::kQueues, storage::TellKey(shards.first, shards.second, 0),
                            storage::TellKey(shards.first, shards.second, sequence + 1));
  tells_told_.clear();
}

}  // namespace smsflow::engine
