// Figures over HTTP, as Prometheus reads them. Collected at each scrape; nothing runs in between.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "metrics/figures.h"

namespace smsflow::metrics {

// Serves until it is destroyed.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual int port() const = 0;

  // `address`: "host:port", port 0 for any. UNAVAILABLE, in the name of the `setting`: the port is taken. `collect` is
  // called from a thread of its own and must outlive it.
  static absl::StatusOr<std::unique_ptr<Endpoint>> Start(std::string_view setting, const std::string& address,
                                                         std::function<Figures()> collect);
};

}  // namespace smsflow::metrics
