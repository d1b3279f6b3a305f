// The workloads about what waits: `wave`, much that is due at one instant; `restart`, kill -9 with much pending and
// much overdue afterwards; `size`, what pending SMSes cost in memory and on disk. None has a limit to be measured
// against, so fields of the report stand for what counts there; docs/performance.md says which.
#pragma once

#include "absl/status/statusor.h"
#include "tools/bench/options.h"
#include "tools/bench/report.h"

namespace smsflow::bench {

absl::StatusOr<Report> RunWave(const Options& options);
absl::StatusOr<Report> RunRestart(const Options& options);
absl::StatusOr<Report> RunSize(const Options& options);

}  // namespace smsflow::bench
