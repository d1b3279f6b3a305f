// The link over gRPC: keeps one `Gateway.Attach` stream to an engine and makes a new one, with growing pauses, whenever
// it was cut. Credit is given anew with each stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/link.h"

namespace smsflow::gateway {

struct AttachOptions {
  std::string address;              // as gRPC names it: `host:port` or `unix:PATH`
  std::string token;                // of a credential with the role `gateway`
  std::string ca_pem;               // trusted authorities; empty: plaintext, which only loopback and unix sockets allow
  std::uint32_t credit = 1000;      // leases open at once, at most 1,000,000
  std::int64_t pause_min_ms = 100;  // before the first new try, then doubled up to
  std::int64_t pause_max_ms = 2000;
  std::int64_t silence_ms = 30'000;  // after which an engine that no longer answers counts as gone
};

// INVALID_ARGUMENT: plaintext to an address that is not on this machine.
absl::StatusOr<std::unique_ptr<Link>> MakeAttachClient(AttachOptions options);

}  // namespace smsflow::gateway
