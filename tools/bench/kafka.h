// The workload kafka: what smsflowd and smsflow-gateway reach over a broker, in turn: records of `schedule-sms` applied
// durably, and whole lives, in from `schedule-sms`, out on `send-sms`, SENT and DELIVERED back on `sms-status`; beside
// them what the broker alone carries. On topics of its own, which it deletes.
#pragma once

#include "absl/status/statusor.h"
#include "tools/bench/options.h"
#include "tools/bench/report.h"

namespace smsflow::bench {

// REQUIRES options.kafka: the brokers.
absl::StatusOr<Report> RunKafka(const Options& options);

}  // namespace smsflow::bench
