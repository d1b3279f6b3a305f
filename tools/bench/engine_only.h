// The workloads `schedule` and `life` against the engine alone: no process, no door, no wire. Its limit is the bare
// loop of RocksDB alone. Shows what the core costs, and is where a profiler looks first.
#pragma once

#include "absl/status/statusor.h"
#include "tools/bench/options.h"
#include "tools/bench/report.h"
#include "tools/bench/shape.h"

namespace smsflow::bench {

absl::StatusOr<Report> RunEngineOnly(const Options& options, const SmsShape& shape);

}  // namespace smsflow::bench
