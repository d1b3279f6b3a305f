// The workloads schedule, stream, batch and life over gRPC, and rest over HTTP: what smsflowd reaches in a closed loop,
// against what a bare echo of the same calls and a bare store of the same rows leave possible; then latencies in an
// open loop at half of it.
#pragma once

#include "absl/status/statusor.h"
#include "tools/bench/options.h"
#include "tools/bench/report.h"
#include "tools/bench/shape.h"

namespace smsflow::bench {

absl::StatusOr<Report> RunThroughput(const Options& options, const SmsShape& shape);

}  // namespace smsflow::bench
