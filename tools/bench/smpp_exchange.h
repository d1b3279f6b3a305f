// The bare SMPP exchange: what a client reaches against the same SMSC that keeps nothing, opens nothing and looks at
// nothing: frames made beforehand go out, a window of them at a time, answers are counted by their command_id, and each
// receipt is answered at once.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "tools/bench/part.h"

namespace smsflow::bench {

// Connects and binds; blocks for that. A slice counts SMSes whose response and receipt came.
absl::StatusOr<std::unique_ptr<Part>> OpenBareExchange(std::uint16_t port);

}  // namespace smsflow::bench
