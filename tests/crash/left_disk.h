// What smsflow makes of a disk that a power cut or a flipped bit left of a recorded run: whether it opens, whether what
// was acknowledged is there, and what `db repair` makes of it. Not thread-safe; each has a folder of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/crash/recorded_run.h"

namespace smsflow::crash {

using Sequences = std::vector<std::uint64_t>;  // by shard

// What must be there of a recorded run.
struct Needed {
  Sequences sequences;         // of the journals, the last ones
  std::size_t operations = 0;  // and what else was acknowledged before the end of so many operations of the disk
};

// log, table, options, manifest; of all others the name.
std::string KindOfFile(const std::string& path);
// A message for the operator at 3 a.m.: a line that names what is wrong.
bool IsClear(const absl::Status& status);

class LeftDisk {
 public:
  // `folder` is empty, and its own. `run` outlives this.
  LeftDisk(const RecordedRun& run, std::string folder);

  // The last moment of the run that lay before the end of so many operations; null: there is none.
  const Moment* LastBefore(std::size_t operations) const;
  // Opening changes a folder, so it is written anew for each.
  absl::StatusOr<std::unique_ptr<storage::DataFolder>> Open(const Image& image) const;
  // Of what the last Open() left, which nobody may have open any more, as `smsflow db repair` does it: a copy that
  // opens, and is kept only when it is whole, and an engine on it that goes on with the gateway of that moment (null:
  // there is none). Empty: it was, and did.
  std::string Repair(const Needed& need, const Moment* moment) const;
  // What is not there of that, or not as it was written, each record against its chain, each row against its record,
  // and those of no record against the run; empty: nothing.
  std::string Missing(storage::DataFolder& folder, const Needed& need) const;
  // What the engine's own recovery makes of it, at that moment or a day later; the same as above is looked at
  // afterwards.
  std::string Revived(storage::DataFolder& folder, const Moment& moment, bool a_day_later) const;
  // Leaves it for whoever looks into a finding, and says where.
  std::string Keep(const Image& image) const;

 private:
  void Write(const Image& image, const char* name) const;
  static std::string Inspected(storage::DataFolder& folder);

  const RecordedRun& run_;
  const std::string folder_;
};

}  // namespace smsflow::crash
