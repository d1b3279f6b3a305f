// Figures over HTTP, as Prometheus reads them. Collected at each scrape; nothing runs in between.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/figures.h"

namespace smsflow::server {

// Serves until it is destroyed.
class Metrics {
 public:
  struct Figures {
    std::vector<NamedFigure> figures;
    std::vector<NamedHistogram> histograms;
  };
  virtual ~Metrics() = default;
  virtual int port() const = 0;

  // `address`: "host:port", port 0 for any. `collect` is called from threads of the exposer and must outlive it.
  static absl::StatusOr<std::unique_ptr<Metrics>> Start(const std::string& address, std::function<Figures()> collect);
};

}  // namespace smsflow::server
