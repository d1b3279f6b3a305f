// A client that loads the REST door, whether that is smsflowd's or the bare echo: keep-alive connections with Basic
// authentication, one request on each at a time, all served by the calling thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tools/bench/load.h"

namespace smsflow::bench {

// `in_flight` is the number of connections; `address` is "127.0.0.1:port".
std::unique_ptr<Load> MakeRestLoad(const LoadOptions& options);

}  // namespace smsflow::bench
