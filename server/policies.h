// The configuration's delivery policies in the form in which the engine asks for them.
#pragma once

#include "engine/engine.h"
#include "server/config.h"

namespace smsflow::server {

// The function holds all that it needs; thread-safe, does not block. A tenant that chose nothing gets [delivery]; a
// workflow other than that gets no policy, which means its own defaults.
engine::Policies MakePolicies(const Config& config);

}  // namespace smsflow::server
