// What `smsflow db` does with the rows of a closed folder: internal to db*.cc.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "storage/store.h"
#include "tools/cli/terminal.h"

namespace smsflow::cli {

struct DumpOptions {
  std::string kind;    // one letter of storage/keys.h; empty: all
  bool names = false;  // also what users gave: tenant, target, batch, key. Never a payload
};

// One JSON object a line for each row. Blocks for the disk; ends early when interrupted.
[[nodiscard]] absl::Status DumpRows(const storage::Store& store, const DumpOptions& options, const Terminal& terminal);

}  // namespace smsflow::cli
