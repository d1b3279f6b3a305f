// The workload envelope: how many envelopes (ECDH-ES on P-256) a vault opens in a second of one core's time, against
// how many bare agreements on that curve OpenSSL does, as `openssl speed ecdhp256` counts them. Nothing is stored.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "tools/bench/options.h"
#include "tools/bench/part.h"
#include "tools/bench/report.h"

namespace smsflow::bench {

absl::StatusOr<Report> RunEnvelope(const Options& options);

// Opens envelopes as fast as one thread can.
std::unique_ptr<Part> MakeOpening();

}  // namespace smsflow::bench
