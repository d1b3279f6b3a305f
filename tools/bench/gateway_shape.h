// What one SMS writes at a gateway, found as that of the engine is (tools/bench/shape.h).
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "tools/bench/shape.h"

namespace smsflow::bench {

struct GatewayShape {
  std::vector<BatchShape> batches;  // INTENT; the SMSC's answer; the receipt, and the engine's answer to it
  InstanceId example;               // whose keys they are
};

// DATA_LOSS when the SMS did not live as it should.
absl::StatusOr<GatewayShape> FindGatewayShape();

}  // namespace smsflow::bench
