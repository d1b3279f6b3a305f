// What happens from now on, or from where a caller left off: the journals of all shards, followed in order.
//
// Each shard's records come in their order, so those of one instance do; between shards there is none. A caller that
// resumes from positions() gets every later record at least once.
//
// Not thread-safe: belongs to one watcher. Reads from the store, may block for the disk; never waits for commits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/reader.h"
#include "smsflow/stored/v1/records.pb.h"

namespace smsflow::engine {

struct TailFilter {
  std::uint16_t workflow = 0;
  std::string tenant;
  std::optional<ShardId> shard;  // of the target, when only one target is watched
};

struct TailRecord {
  InstanceId id;
  std::uint64_t sequence = 0;
  ::smsflow::stored::v1::JournalBody body;
};

class Tail {
 public:
  // `reader` must outlive it. `from`: as taken by Reader::Now() or positions().
  Tail(const Reader& reader, TailFilter filter, ShardVector from);

  // INVALID_ARGUMENT: the positions are of another data folder. OUT_OF_RANGE: bodies after them are erased already.
  absl::Status Check() const;

  // Adds what was committed since, reading at most `rows_max` records of all; true when there is more to read at once.
  // OUT_OF_RANGE: retention overtook this watcher.
  absl::StatusOr<bool> Read(std::uint32_t rows_max, std::vector<TailRecord>& out);

  const ShardVector& positions() const { return positions_; }

 private:
  absl::Status ReadShard(ShardId shard, std::uint64_t committed, std::uint32_t& rows_left,
                         std::vector<TailRecord>& out);

  const Reader& reader_;
  TailFilter filter_;
  ShardVector positions_;
  std::uint16_t turn_ = 0;  // the shard to begin with, so that a busy one does not starve the others
};

}  // namespace smsflow::engine
