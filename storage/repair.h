// A copy of a damaged data folder that opens again, if nothing that was acknowledged is missing from it.
//
// Three means, the gentler first: the log is cut where it is damaged, which loses what came after; where it is not
// known any more which file is RocksDB's list of its tables, the newest is; where that list cannot be read, the rows of
// all tables and of the log are put into a new database (salvage.h). The copy counts as repaired only when it reaches
// the high-water mark of every shard and its last row; whoever calls must look it through as well (engine/inspect.h),
// for rows below the mark may be gone. The original is only read. Blocks for as long as copying takes.
//
// Rows above the marks may be gone, and nobody can tell: leases that a gateway has, and answers that clients have. So a
// copy begins a new epoch, in which nothing leaves until somebody says so (epoch.h).
//
// All is made beside the place that was named, in a folder `….unfinished`, and put there by KeepCopy() at last: what
// was interrupted before cannot be mistaken for a repaired folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/data_folder.h"

namespace smsflow::storage {

enum class RepairedBy { kNothing, kCuttingTheLog, kNamingTheList, kMakingAnew };

struct RepairedCopy {
  std::unique_ptr<DataFolder> folder;
  std::string path;                      // where it is until it is kept
  RepairedBy by = RepairedBy::kNothing;  // kNothing: it opens as it is
  // Folders in the damaged one that are no part of it, by name, such as a gateway's store: they are not copied.
  std::vector<std::string> left_out;
  std::string dropped;  // what of the end of its log, as a sentence; empty: nothing
  // The last row that was acknowledged is there, and what made up the database before it. Else nothing tells of rows
  // that no journal speaks of: who is blocked, what is paused, how far a log outside was taken, accounts. So it is
  // wherever it was made anew.
  bool has_last_row = true;
};

// `from.path` is the damaged folder, which nobody may have open; its index key stays where it is and serves both;
// `from.now_ms` the time that its pause bears. `to` must not exist, and does not after an error. DATA_LOSS:
// acknowledged data is missing, or it cannot be told; FAILED_PRECONDITION: in use, or of another version;
// ALREADY_EXISTS.
absl::StatusOr<RepairedCopy> RepairCopy(const DataFolderOptions& from, const std::string& to);
// Closes it, and gives it its name; durable when it returns.
[[nodiscard]] absl::Status KeepCopy(RepairedCopy copy, const std::string& to);
// Closes and removes it.
void DropCopy(RepairedCopy copy);

}  // namespace smsflow::storage
