// The bare echo of REST: Boost.Beast as it comes, one thread, that answers each POST with JSON as long as an SMS's.
#pragma once

#include <memory>
#include <string>

namespace smsflow::bench {

class RestEcho {
 public:
  // Serves until it is destroyed. A loopback that cannot be listened on ends the process.
  static std::unique_ptr<RestEcho> Start();
  virtual ~RestEcho() = default;
  virtual std::string address() const = 0;
};

}  // namespace smsflow::bench
