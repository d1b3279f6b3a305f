// A run of the real engine, with the delivery workflow, RocksDB and the marks, on a disk that is recorded: every answer
// with the moment at which it was given, so that it can be told what must be found after a power cut at any moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/bus.h"
#include "storage/data_folder.h"
#include "storage/journal.h"
#include "tests/crash/own_rows.h"
#include "tests/crash/recorded_disk.h"

namespace smsflow::crash {

// After so many operations of the disk, so much had been acknowledged and marked.
struct Moment {
  std::size_t operations = 0;
  std::vector<std::uint64_t> acknowledged;  // by shard, the last sequence of its journal
  bool all_marked = false;                  // the high-water file knows all of it
  std::int64_t passed_ms = 0;               // since the run began, by its clock
  std::vector<engine::Mark> marks;          // that its gateway has seen, the highest of each shard
};

struct RecordedRun {
  std::string path;  // of the data folder while it ran; its key lies beside it
  std::shared_ptr<Recording> disk;
  std::vector<Moment> moments;                      // in order
  std::vector<std::vector<storage::Digest>> chain;  // by shard and sequence; [shard][0] is the empty chain
  OwnRows own_rows;
  std::size_t commands = 0, acknowledged = 0, reports = 0, commits = 0;
  std::string strange;  // what went wrong in the run itself; empty: nothing
};

inline constexpr std::uint16_t kRecordedShards = 4;
storage::DataFolderOptions OptionsOf(const std::string& path);

// So many commands and reports of clients and a gateway, drawn by `seed`; in `folder`, which is there and empty. Now
// and then the real folder is compared with what the model of the disk says of it. `late_sync`: all is answered before
// it is synced, and is synced right afterwards; to show that this would be noticed.
RecordedRun RecordRun(const std::string& folder, std::size_t commands, std::uint64_t seed, bool late_sync = false);

// The engine itself starts on a folder that was left, so long after the run had begun: its gateway comes back and
// delivers what it is handed, a client asks for more, until nothing is left to do. What did not go well; empty:
// nothing.
// With the gateway as it was in that moment, at `passed_ms` since the run began.
std::string Revive(storage::DataFolder& folder, const Moment& moment, std::int64_t passed_ms);

}  // namespace smsflow::crash
