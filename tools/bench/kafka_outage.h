// The workload kafka with an outage: 500 SMSes come due each second, half of them scheduled long before and half
// written as they come due; the broker is killed, and started again after a while. How long until nothing of it is felt
// any more, and that each SMS was delivered in the end, is what counts.
#pragma once

#include "absl/status/statusor.h"
#include "tools/bench/options.h"
#include "tools/bench/report.h"

namespace smsflow::bench {

// REQUIRES options.kafka. INVALID_ARGUMENT without the commands that end and start the broker.
absl::StatusOr<Report> RunOutage(const Options& options);

}  // namespace smsflow::bench
