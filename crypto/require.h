// What must not fail, did: an internal header of crypto/.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace smsflow::crypto {

// For calls into OpenSSL that fail only without memory, without its default provider, or without entropy. Going on
// would mean unkeyed indexes or digests of nothing, so the process stops.
inline void Require(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "smsflow: OpenSSL cannot %s; stopping\n", what);
  std::abort();
}

}  // namespace smsflow::crypto
