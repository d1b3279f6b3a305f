// The workload smpp: a gateway that takes SMSes from a recorded feed, opens each envelope, submits it over SMPP to an
// SMSC on this machine with every attempt synced before it leaves, and reports DELIVERED once its receipt is durable.
// The limit are the bare store, the bare opening of envelopes and the bare SMPP exchange; Kannel is measured in the
// same run where it is installed.
#pragma once

#include "absl/status/statusor.h"
#include "tools/bench/options.h"
#include "tools/bench/report.h"

namespace smsflow::bench {

absl::StatusOr<Report> RunSmpp(const Options& options);

}  // namespace smsflow::bench
