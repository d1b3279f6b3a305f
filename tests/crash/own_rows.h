// Rows that no journal speaks of (who is blocked, what is paused, how far a log outside was taken, sweeps and tells on
// their way), as they stood after every commit of a recorded run: so that of a disk it can be told whether it has them
// as they were, neither older nor newer than all else that it has.
//
// Filled by one thread, then read by many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ids/ids.h"
#include "storage/store.h"

namespace smsflow::crash {

class OwnRows {
 public:
  static constexpr char kWrong[] = "of no record: ";

  // After a commit: the shard's journal ends at `sequence`, and so many operations of the disk have been. False: its
  // rows cannot be read.
  [[nodiscard]] bool Note(const storage::Store& store, ShardId shard, std::uint64_t sequence, std::size_t operations);

  // The first row that is not as it was when the shard's journal ended at `sequence`, what lay before the end of so
  // many operations being acknowledged; a line that begins with kWrong, or else says that they cannot be read. Empty:
  // all are.
  std::string Wrong(const storage::Store& store, ShardId shard, std::uint64_t sequence, std::size_t operations) const;

  // By kind of row, how often one was written, changed or deleted.
  const std::map<char, std::size_t>& changes() const { return changes_; }

 private:
  struct Version {
    std::uint64_t sequence = 0;
    bool with_records = false;  // of the same unit
    std::size_t operations = 0;
    std::optional<std::string> value;
  };
  using Rows = std::map<std::string, std::string>;
  static absl::StatusOr<Rows> Read(const storage::Store& store, ShardId shard);

  std::map<std::string, std::vector<Version>> versions_;  // by key, in the order of the commits
  std::map<ShardId, std::uint64_t> noted_;                // the last sequence
  std::map<char, std::size_t> changes_;
};

}  // namespace smsflow::crash
