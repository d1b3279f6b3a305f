// What goes when it has been kept long enough: the instance, its index rows, and the bodies of its journal records.
// Their digests stay, so the chain still proves what is left; a whole old segment goes once all its bodies are gone.
#include <algorithm>
#include <cassert>
#include <optional>

#include "engine/partition.h"
#include "storage/journal.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

constexpr int kLookRows = 1'024;  // of a segment in one round, so that others do not wait

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
  for (const stored::LeaseRecord& lease : loaded.state.leases()) CloseLease(round, home, {loaded.id, lease.number()});
  storage::DeleteHead(round.batch, loaded.id);
  storage::DeleteState(round.batch, loaded.id);
  loaded.erased = true;
  ++counts_.erased;
}

// True when it has come to its bound and goes on with the next round. A record that still has its body ends the look,
// and the next one begins there.
bool Partition::DropOldSegment(Round& round, Shard& home) {
  const std::uint64_t size = shared_.options.segment_records;
  const std::uint64_t from = std::max<std::uint64_t>(home.marks.chain_from(), 1);
  const std::uint64_t last = (from - 1) / size * size + size;
  if (home.erased_to < from || home.chain.sequence <= last) return false;
  home.segment_seen = std::max(home.segment_seen, from - 1);
  const auto rows = store().Scan(storage::Family::kJournal, storage::JournalKey(home.id, home.segment_seen + 1),
                                 storage::JournalKey(home.id, last + 1));
  std::optional<storage::ChainAnchor> anchor;
  for (int seen = 0; rows->Valid(); rows->Next()) {
    if (seen++ == kLookRows) return true;
    const auto record = storage::DecodeJournal(home.id, storage::SequenceOfKey(rows->key()), rows->value());
    if (!record.ok()) Fail(record.status());
    // With a gap it stays, for whoever looks for the reason.
    if (!record->header.erased || record->header.sequence != home.segment_seen + 1) return false;
    if (record->header.sequence == last)
      anchor = {{last, record->header.chain}, last + 1 - from};
    else
      home.segment_seen = record->header.sequence;
  }
  if (!rows->status().ok()) Fail(rows->status());
  if (!anchor) return false;
  storage::PutAnchor(round.batch, home.id, *anchor);
  round.batch.DeleteRange(storage::Family::kJournal, storage::JournalKey(home.id, from),
                          storage::JournalKey(home.id, last + 1));
  home.marks.set_chain_from(last + 1);
  storage::PutMarks(round.batch, home.id, home.marks);
  home.segment_seen = last;
  return false;
}

}  // namespace smsflow::engine
