// The last acknowledged sequence of each shard, and the number of the last row that was synced, in a small file beside
// RocksDB, to notice when RocksDB opened without data that was acknowledged. Two slots are written in turn, each with a
// checksum, so that one is always whole.
//
//   slot := magic(8) format(4) generation(8) shards(2) last_row(8) { epoch(8) sequence(8) }* crc32c(4)
//           and zeros, to a multiple of 4 KB
//
// The number covers what no journal speaks of: who is blocked, what is paused, accounts. It is RocksDB's own; 0: not
// known, as in a file of format 1, which has no such field, and in a database made anew, which counts from the
// beginning. All writes must be synced for it to be true.
//
// Note() is called by the writers of shards after a commit and costs a store to memory. Save() writes what was noted
// since, and the number of the last row, and syncs; a housekeeping thread calls it every 100 ms at most. So the file is
// at most that far behind, and never ahead.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "ids/ids.h"

namespace smsflow::storage {

struct HighWaterMark {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  auto operator<=>(const HighWaterMark&) const = default;
};

class HighWater {
 public:
  virtual ~HighWater() = default;
  // Thread-safe, does not block. Marks of a shard only rise.
  virtual void Note(ShardId shard, HighWaterMark mark) = 0;
  virtual HighWaterMark Noted(ShardId shard) const = 0;
  // As it stood in the file when it was opened.
  virtual HighWaterMark AtOpen(ShardId shard) const = 0;
  // Blocks for the disk. Does nothing when nothing was noted, and no row was written, since the last time.
  [[nodiscard]] virtual absl::Status Save() = 0;
};

}  // namespace smsflow::storage
