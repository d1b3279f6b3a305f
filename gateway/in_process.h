// The link of a gateway that lives in the engine's own process: the built-in loopback, and benchmarks.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/engine.h"
#include "gateway/link.h"

namespace smsflow::gateway {

// `engine` must outlive the link; `credit` as in Credit of proto/smsflow/v1/gateway.proto. Attaches on Start(),
// and anew on Renew(): nothing else cuts it but the engine's end, or another session of the same store.
std::unique_ptr<Link> MakeInProcessLink(engine::Engine& engine, std::uint32_t credit);

}  // namespace smsflow::gateway
