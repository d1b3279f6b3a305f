#include "engine/explain.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

constexpr std::uint64_t kReadyCountMax = 1'000;

// Whether the pause of this scope and hash is about the instance.
bool Holds(const storage::IndexKeys& keys, const stored::InstanceHead& head, storage::PauseScope scope,
           std::string_view hash) {
  const auto is = [&](const storage::Hash16& value) {
    return hash == std::string_view(reinterpret_cast<const char*>(value.data()), value.size());
  };
  switch (scope) {
    case storage::PauseScope::kAll:
    case storage::PauseScope::kGateway:
      return true;  // of a gateway: its row tells which
    case storage::PauseScope::kTenant:
      return is(keys.Pause(head.tenant(), ""));
    case storage::PauseScope::kIndexValue:
      for (const auto& value : head.index())
        if (is(keys.IndexValue(head.tenant(), static_cast<std::uint16_t>(value.index()), value.value()))) return true;
  }
  return false;
}

// Who asked for it, when and why.
std::string Told(const stored::PauseRow& row) {
  const std::string since =
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMillis(row.since_ms()), absl::UTCTimeZone());
  return row.scope() + (row.reason().empty() ? "" : ": " + row.reason()) + " (by " + row.actor() + " at " + since + ")";
}

absl::Status AddPauses(const Shared& shared, const InstanceId& id, const stored::InstanceHead& head,
                       std::string_view lane, WaitReasons& reasons) {
  const std::string prefix(storage::Key('p', id.shard()).view());
  const auto rows = shared.parts.store->Scan(storage::Family::kIndexes, prefix, storage::PrefixEnd(prefix));
  std::vector<std::string> of_gateways;
  for (; rows->Valid(); rows->Next()) {
    const auto scope = static_cast<storage::PauseScope>(rows->key()[prefix.size()]);
    if (!Holds(*shared.parts.index_keys, head, scope, rows->key().substr(prefix.size() + 1))) continue;
    const auto row = storage::DecodePause(rows->value());
    if (!row.ok()) return row.status();
    if (scope != storage::PauseScope::kGateway) {
      reasons.pauses.push_back(Told(*row));
    } else if (shared.peers.Serves(row->gateway(), head.tenant(), lane)) {
      of_gateways.push_back(Told(*row));
    }
  }
  // Those of gateways explain something only where no other one would take it; a gateway is attached once.
  if (of_gateways.size() >= shared.peers.OfLane(head.tenant(), lane).peers)
    reasons.pauses.insert(reasons.pauses.end(), of_gateways.begin(), of_gateways.end());
  return rows->status();
}

}  // namespace

absl::StatusOr<WaitReasons> Explain(const Shared& shared, const InstanceId& id) {
  if (id.shard().value >= shared.options.shards) return absl::NotFoundError("id: unknown");
  const storage::Store& store = *shared.parts.store;
  const auto head = storage::GetHead(store, id);
  if (!head.ok()) return head.status();
  if (!head->has_value()) return absl::NotFoundError("id: unknown");
  WaitReasons reasons;
  reasons.clock_guard = shared.clock_guard.on();
  reasons.disk_guard = shared.disk_guard;
  reasons.draining = shared.draining;
  reasons.budget_per_s = shared.options.fire_budget_per_s;

  const workflows::Workflow* workflow = shared.workflow(static_cast<std::uint16_t>((*head)->workflow()));
  const std::string lane = workflow == nullptr ? "" : workflow->Lane((*head)->fixed());
  if (const absl::Status status = AddPauses(shared, id, **head, lane, reasons); !status.ok()) return status;
  if (workflow == nullptr) return reasons;
  const Peers::Lane serving = shared.peers.OfLane((*head)->tenant(), lane);
  reasons.peers = serving.peers;
  reasons.credit = serving.credit;
  const storage::Lane8 hash = shared.parts.index_keys->Lane((*head)->tenant(), lane);
  const std::string ready(storage::Key('r', id.shard()).Add(hash).view());
  const auto rows = store.Scan(storage::Family::kQueues, ready, storage::PrefixEnd(ready));
  for (; rows->Valid() && reasons.ready < kReadyCountMax; rows->Next()) ++reasons.ready;
  if (!rows->status().ok()) return rows->status();
  return reasons;
}

}  // namespace smsflow::engine
