// A store made anew from its tables and logs, when the list that says which tables make it up is damaged or lost.
//
// RocksDB's own RepairDB() puts all tables into one level, which cannot hold them once a compaction has been, and drops
// what is only in the log of a family without tables. So each table is read by itself, the log is replayed beside them,
// and of each key the newest version counts, unless a newer deletion covers it (deleted_ranges.h): the rows come out as
// they were, whatever the levels were.
//
// A finished table that cannot be read ends it, for nobody can say what stood there; one that was still being written
// is passed over, for the log has its rows. Tables that a compaction had replaced, but a crash kept from being deleted,
// and logs whose rows are in tables, are left out where the list says so before its damage, and else are read with the
// others: a row that they alone still show, or that stands in them with the number it was written
// under while the compaction took that of its newer version away, is what looking through the copy is for (repair.h).
// It finds no row of which no journal speaks, nor one that is missing with a whole table or log: of those nobody can
// tell.
// An internal header of storage/.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "storage/rocks_store.h"

namespace smsflow::storage {

// Puts a whole store in the place of the one at `options.path`, which nobody may have open: for copies only. Blocks for
// as long as reading and writing all rows takes; needs their room once more. Memory: some 16,000 rows. Rows are
// numbered anew. Ignores `file_system`. Tells what it dropped of the logs, as a sentence; empty: nothing. DATA_LOSS: a
// table or log cannot be read, or where the logs end within a record they do so before row `acknowledged` (0: not
// known); RESOURCE_EXHAUSTED: the disk has not the room.
absl::StatusOr<std::string> MakeAnew(const RocksStoreOptions& options, std::uint64_t acknowledged);

}  // namespace smsflow::storage
