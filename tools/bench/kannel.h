// Kannel's bearerbox against the same SMSC, fed by its own mtbatch: what a gateway reaches that syncs nothing. Started
// where it is installed (Debian: `kannel`). Not thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tools/bench/part.h"
#include "tools/bench/smsc_process.h"

namespace smsflow::bench {

// NOT_FOUND: it is not installed. Configuration, logs and receivers go into `folder`, which exists. A slice sends as
// many SMSes as fill about that time, and counts from the first submit to the last receipt that was answered.
absl::StatusOr<std::unique_ptr<Part>> OpenKannel(const std::string& folder, SmscProcess& smsc);

}  // namespace smsflow::bench
