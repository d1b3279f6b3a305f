#include "storage/epoch.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/journal.h"
#include "storage/records.h"

namespace smsflow::storage {
namespace {

// Of one that stood there already it says so too: who lifts it lifts both.
absl::Status PauseAll(Batch& batch, const DataFolder& folder, const Store& store, ShardId shard, std::int64_t now_ms) {
  const Hash16 all = folder.index_keys().Pause("", "");
  stored::PauseRow row;
  row.set_scope("all");
  row.set_actor("smsflow db repair");
  row.set_since_ms(now_ms);
  row.set_reason(
      "a repaired folder, in which the last moments may be missing: docs/operations.md says what may leave twice");
  const auto before = store.Get(Family::kIndexes, PauseKey(shard, PauseScope::kAll, all));
  if (!before.ok()) return before.status();
  if (before->has_value()) {
    const auto paused = DecodePause(**before);
    if (!paused.ok()) return paused.status();
    row.set_reason(absl::StrCat(row.reason(), "; it was paused before: ", paused->reason()));
  }
  PutPause(batch, shard, PauseScope::kAll, all, row);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::uint64_t> EpochOf(const Store& store) {
  const auto marks = GetMarks(store, ShardId{0});
  if (!marks.ok()) return marks.status();
  return std::max<std::uint64_t>(*marks ? (*marks)->epoch() : 0, 1);
}

absl::Status BeginEpoch(DataFolder& folder, std::int64_t now_ms) {
  const Store& store = folder.store();
  std::vector<stored::ShardMarks> all;
  std::uint64_t epoch = 1;
  for (std::uint16_t i = 0; i < folder.shards(); ++i) {
    const auto marks = GetMarks(store, ShardId{i});
    if (!marks.ok()) return marks.status();
    all.push_back(marks->value_or(stored::ShardMarks{}));
    epoch = std::max({epoch, all.back().epoch(), folder.high_water().AtOpen(ShardId{i}).epoch});
  }
  ++epoch;
  Batch batch;
  for (std::uint16_t i = 0; i < folder.shards(); ++i) {
    all[i].set_epoch(epoch);
    PutMarks(batch, ShardId{i}, all[i]);
    if (auto status = PauseAll(batch, folder, store, ShardId{i}, now_ms); !status.ok()) return status;
  }
  if (auto status = folder.store().Write(batch, Sync::kYes); !status.ok()) return status;
  for (std::uint16_t i = 0; i < folder.shards(); ++i) {
    const auto head = FindChainHead(store, ShardId{i});
    if (!head.ok()) return head.status();
    folder.high_water().Note(ShardId{i}, {epoch, head->sequence});
  }
  return folder.high_water().Save();
}

}  // namespace smsflow::storage
