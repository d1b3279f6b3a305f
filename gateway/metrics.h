// Figures of a gateway over HTTP, as Prometheus reads them; docs/gateway-metrics.md has a line for each. Collected at
// each scrape; nothing runs in between. No number, sender or text is a label.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit_log.h"
#include "gateway/core.h"
#include "gateway/inbound.h"
#include "gateway/smpp_carrier.h"
#include "metrics/endpoint.h"

namespace smsflow::gateway {

struct GatewayFigures {
  CoreFigures core = {};
  std::optional<SorterFigures> sorter = {};  // where there are routes
  std::optional<AuditFigures> audit = {};
  InboundFigures inbound = {};
  std::vector<SmscFigures> smscs = {};
};

metrics::Figures ListFigures(const GatewayFigures& now);

// `address`: "host:port" of this machine, port 0 for any: there is no TLS here and no credential. `collect` is called
// from a thread of its own and must outlive it. INVALID_ARGUMENT, or UNAVAILABLE where the port is taken.
absl::StatusOr<std::unique_ptr<metrics::Endpoint>> ServeFigures(const std::string& address,
                                                                std::function<GatewayFigures()> collect);

}  // namespace smsflow::gateway
