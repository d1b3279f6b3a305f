// What a partition reads before its first round: marks, the end of the chain, what is open. All of it is bounded by
// what is in flight, not by what is stored.
#include <algorithm>
#include <utility>

#include "engine/partition.h"
#include "storage/journal.h"
#include "storage/records.h"

namespace smsflow::engine {

absl::Status Partition::Recover(std::int64_t now_ms) {
  for (const ShardId id : shard_ids_)
    if (absl::Status status = RecoverShard(id, now_ms); !status.ok()) return status;
  recovered_peers_.clear();
  return absl::OkStatus();
}

absl::Status Partition::RecoverShard(ShardId id, std::int64_t now_ms) {
  auto marks = storage::GetMarks(store(), id);
  if (!marks.ok()) return marks.status();
  const stored::ShardMarks before = marks->value_or(stored::ShardMarks{});
  shared_.clock_guard.Seen(before.live_ms());
  const std::int64_t start_ms = std::max(now_ms, before.live_ms() + 1);  // FollowClock() sees to a clock that went back
  auto made = std::make_unique<Shard>(id, std::min(before.backlog_from_ms(), start_ms), start_ms);
  Shard& home = *made;
  by_shard_[id.value] = shards_.size();
  shards_.push_back(std::move(made));

  home.marks = before;
  home.backlog_mark_ms = std::min(before.backlog_from_ms(), start_ms);
  home.epoch = std::max<std::uint64_t>(before.epoch(), 1);
  home.erased_to = before.erased_to();
  home.outbox_next = std::max<std::uint64_t>(before.outbox_next(), 1);
  auto chain = storage::FindChainHead(store(), id);
  if (!chain.ok()) return chain.status();
  home.chain = *chain;
  shared_.epochs[id.value] = home.epoch;
  shared_.committed[id.value].store(home.chain.sequence, std::memory_order_release);

  const std::string heads(storage::Key('h', id).view());
  const auto newest = store().Scan(storage::Family::kInstances, heads, storage::PrefixEnd(heads), /*reverse=*/true);
  if (!newest->status().ok()) return newest->status();
  if (newest->Valid())
    if (const auto instance = storage::InstanceOfKey(newest->key())) home.id_newest_ms = instance->created_ms();

  if (absl::Status status = RecoverOutbox(home, before.outbox_from()); !status.ok()) return status;
  if (absl::Status status = RecoverTells(home); !status.ok()) return status;
  if (absl::Status status = RecoverSweeps(home, now_ms); !status.ok()) return status;
  if (absl::Status status = RecoverPauses(home); !status.ok()) return status;
  if (absl::Status status = RecoverFeeds(home); !status.ok()) return status;
  if (absl::Status status = home.ready.Recover(store(), id); !status.ok()) return status;
  const std::string members(storage::Key('m', id).view());
  const auto member = store().Scan(storage::Family::kIndexes, members, storage::PrefixEnd(members));
  if (!member->status().ok()) return member->status();
  if (member->Valid()) home.memberships = 1;
  for (auto& [lane, queue] : home.ready.queues()) {
    const auto first = queue.Peek(store());
    if (!first.ok()) return first.status();
    if (*first != nullptr) KnowLane(lane, id, (*first)->value);
    queue.Forget();
  }
  return absl::OkStatus();
}

absl::Status Partition::RecoverOutbox(Shard& home, std::uint64_t from) {
  const auto rows = store().Scan(storage::Family::kQueues, storage::OutboxKey(home.id, from),
                                 storage::PrefixEnd(storage::Key('o', home.id).view()));
  for (; rows->Valid(); rows->Next()) {
    const std::uint64_t sequence = storage::SequenceOfKey(rows->key());
    home.outbox_next = std::max(home.outbox_next, sequence + 1);
    auto row = storage::DecodeOutbox(rows->value());
    if (!row.ok()) return row.status();
    if (row->channel() == kDeadLetters) {
      home.open_outbox[sequence] = {};
      recovered_posts_.push_back({home.id, sequence, {}, kDeadLetters, std::move(*row->mutable_body())});
      continue;
    }
    const auto id = InstanceId::FromBytes(row->instance());
    if (!id)
      return absl::DataLossError("outbox of shard " + std::to_string(home.id.value) + " has a row of no instance");
    if (row->channel() != 0) {
      home.open_outbox[sequence] = {*id, 0};
      recovered_posts_.push_back(
          {home.id, sequence, *id, static_cast<std::uint16_t>(row->channel()), std::move(*row->mutable_body())});
      continue;
    }
    auto found = instances_.Find(*id);
    if (!found.ok()) return found.status();
    if (*found == nullptr) continue;
    for (const auto& lease : (*found)->state.leases()) {
      if (lease.number() != row->number() || lease.settled()) continue;
      const AttemptId attempt{*id, lease.number()};
      if (home.leases.count(attempt) != 0) break;  // its row was moved to the end; this is the old one
      // One name for all leases of a store: most of a window is one gateway's.
      PeerRef& peer = recovered_peers_[{lease.gateway(), lease.store_uuid()}];
      if (!peer) peer = std::make_shared<const PeerId>(PeerId{lease.gateway(), lease.store_uuid()});
      home.leases[attempt] = {
          peer, (*found)->head.tenant(), sequence, lease.deadline_ms(), (*found)->state.changed_ms(), lease.accepted()};
      home.open_outbox[sequence] = attempt;
      shared_.peers.Hold(*peer);
    }
  }
  instances_.Trim();
  return rows->status();
}

absl::Status Partition::RecoverTells(Shard& home) {
  const std::string applied(storage::Key('L', home.id).view());
  const auto marks = store().Scan(storage::Family::kQueues, applied, storage::PrefixEnd(applied));
  for (; marks->Valid(); marks->Next()) {
    const auto source = static_cast<std::uint16_t>(storage::ReadBigEndian(marks->key().substr(applied.size(), 2)));
    const auto sequence = storage::GetAppliedTell(store(), home.id, ShardId{source});
    if (!sequence.ok()) return sequence.status();
    home.tell_applied[source] = *sequence;
  }
  if (!marks->status().ok()) return marks->status();

  const std::string prefix(storage::Key('l', home.id).view());
  const auto rows = store().Scan(storage::Family::kQueues, prefix, storage::PrefixEnd(prefix));
  for (; rows->Valid(); rows->Next()) {
    auto row = storage::DecodeTell(rows->value());
    if (!row.ok()) return row.status();
    const auto destination = static_cast<std::uint16_t>(storage::ReadBigEndian(rows->key().substr(prefix.size(), 2)));
    recovered_tells_.push_back({home.id, ShardId{destination}, storage::SequenceOfKey(rows->key()), *std::move(row)});
  }
  return rows->status();
}

absl::Status Partition::RecoverSweeps(Shard& home, std::int64_t now_ms) {
  const std::string prefix(storage::Key('w', home.id).view());
  const auto rows = store().Scan(storage::Family::kQueues, prefix, storage::PrefixEnd(prefix));
  for (; rows->Valid(); rows->Next()) {
    auto row = storage::DecodeSweep(rows->value());
    if (!row.ok()) return row.status();
    // As StartSweep() left it: what comes now came later than an open sweep, also where ids are ahead of the clock.
    const auto last = InstanceId::FromBytes(row->until());
    if (last && last->created_ms() - now_ms <= shared_.options.clock_jump_ms)
      home.id_from_ms = std::max(home.id_from_ms, last->created_ms() + 1);
    auto& open = home.sweeps[row->tenant()];
    open.push_back(*std::move(row));
  }
  return rows->status();
}

absl::Status Partition::RecoverPauses(Shard& home) {
  const std::string prefix(storage::Key('p', home.id).view());
  const auto rows = store().Scan(storage::Family::kIndexes, prefix, storage::PrefixEnd(prefix));
  for (; rows->Valid(); rows->Next()) {
    auto row = storage::DecodePause(rows->value());
    if (!row.ok()) return row.status();
    storage::Hash16 value{};
    const std::string_view hash = rows->key().substr(prefix.size() + 1);
    if (hash.size() != value.size()) return absl::DataLossError("a pause row has a malformed key");
    std::copy(hash.begin(), hash.end(), value.begin());
    home.pauses.Add(static_cast<storage::PauseScope>(rows->key()[prefix.size()]), value, row->gateway());
  }
  return rows->status();
}

void Partition::SendRecovered() {
  for (TellItem& tell : recovered_tells_) {
    const ShardId destination = tell.destination;
    shared_.post(destination, std::move(tell));
  }
  recovered_tells_.clear();
  if (!recovered_posts_.empty() && shared_.parts.posts != nullptr)
    shared_.parts.posts->Send(std::move(recovered_posts_));
  recovered_posts_.clear();
}

}  // namespace smsflow::engine
