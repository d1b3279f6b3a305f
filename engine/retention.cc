// What goes when it has been kept long enough: the instance, its index rows, and the bodies of its journal records. Their
// digests stay, so the chain still proves what is left; a whole old segment goes once all its bodies are gone.
#include <algorithm>
#include <cassert>

#include "engine/partition.h"
#include "storage/journal.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

constexpr std::uint64_t kSegmentRecords = 65'536;

}  // namespace

void Partition::Erase(Round& round, Shard& home, Loaded& loaded) {
  assert(!loaded.changed);  // its last record could not be read yet; CoverTimers() sees to it
  for (std::uint64_t sequence = loaded.state.sequence(); sequence != 0;) {
    const auto record = storage::GetJournal(store(), home.id, sequence);
    if (!record.ok()) Fail(record.status());
    if (!record->has_value()) break;
    storage::EraseJournalBody(round.batch, home.id, **record);
    sequence = (*record)->header.previous;
  }
  home.erased_to = std::max(home.erased_to, loaded.state.sequence());
  ++home.passed;

  const storage::IndexKeys& keys = *shared_.parts.index_keys;
  for (const auto& value : loaded.head.index()) {
    const auto index = static_cast<std::uint16_t>(value.index());
    storage::DeleteIndex(round.batch, home.id, index, keys.IndexValue(loaded.head.tenant(), index, value.value()),
                         loaded.id);
  }
  if (loaded.head.dedupe().size() == sizeof(storage::Hash16)) {
    storage::Hash16 scope;
    std::copy_n(loaded.head.dedupe().begin(), scope.size(), scope.begin());
    storage::DeleteDedupe(round.batch, home.id, scope);
  }
  // A workflow may have forgotten one: its credit must not be gone for good.
  for (const stored::LeaseRecord& lease : loaded.state.leases())
    CloseLease(round, home, {loaded.id, lease.number()});
  storage::DeleteHead(round.batch, loaded.id);
  storage::DeleteState(round.batch, loaded.id);
  loaded.erased = true;
  ++counts_.erased;
}

void Partition::DropOldSegment(Round& round, Shard& home) {
  const std::uint64_t from = std::max<std::uint64_t>(home.marks.chain_from(), 1);
  const std::uint64_t last = (from - 1) / kSegmentRecords * kSegmentRecords + kSegmentRecords;
  if (home.erased_to < from || home.chain.sequence <= last) return;
  const auto rows = store().Scan(storage::Family::kJournal, storage::JournalKey(home.id, from),
                                 storage::JournalKey(home.id, last + 1));
  storage::ChainAnchor anchor;
  for (; rows->Valid(); rows->Next()) {
    const std::uint64_t sequence = storage::SequenceOfKey(rows->key());
    const auto record = storage::DecodeJournal(home.id, sequence, rows->value());
    if (!record.ok()) Fail(record.status());
    if (!record->header.erased) return;
    anchor.head = {sequence, record->header.chain};
    ++anchor.count;
  }
  if (!rows->status().ok()) Fail(rows->status());
  if (anchor.head.sequence != last) return;
  storage::PutAnchor(round.batch, home.id, anchor);
  round.batch.DeleteRange(storage::Family::kJournal, storage::JournalKey(home.id, from),
                          storage::JournalKey(home.id, last + 1));
  home.marks.set_chain_from(last + 1);
  storage::PutMarks(round.batch, home.id, home.marks);
}

}  // namespace smsflow::engine
