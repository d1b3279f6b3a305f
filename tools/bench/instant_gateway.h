// A gateway over `Gateway.Attach` that opens and stores nothing, gives much credit, and says SENT and DELIVERED at
// once.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ids/ids.h"

namespace smsflow::bench {

struct InstantGatewayOptions {
  std::string address;
  // Both are called on the link's thread and must not block; either may be empty.
  std::function<void(std::size_t)> on_delivered;  // so many receipts became durable
  std::function<void(const std::vector<AttemptId>&)> on_leased;
};

class InstantGateway {
 public:
  static std::unique_ptr<InstantGateway> Attach(InstantGatewayOptions options);
  virtual ~InstantGateway() = default;
};

}  // namespace smsflow::bench
