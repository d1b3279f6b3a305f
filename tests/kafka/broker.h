// A real broker for a test: that of the whole run, which ctest starts once, or one of the test's own, to be killed.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "kafka/client.h"

namespace smsflow::kafka {

// Of the run's broker; the program has ended where there is none (broker_main.cc).
std::string SharedBroker();

// Owned by one test; ends with it, and by itself after ten minutes.
class OwnBroker {
 public:
  OwnBroker();
  ~OwnBroker();
  OwnBroker(const OwnBroker&) = delete;
  OwnBroker& operator=(const OwnBroker&) = delete;

  // At the same address as before; what was stored is there again.
  void Start();
  void Kill();  // at once, as power would
  const std::string& address() const { return address_; }

 private:
  std::string folder_;
  std::string address_;
};

// Polls `done` until it is true; false: it was not within `seconds`.
bool Within(int seconds, const std::function<bool()>& done);

// Makes a topic whose name no other test has.
std::string FreshTopic(const std::string& address, std::int32_t partitions,
                       std::map<std::string, std::string> configs = {});

}  // namespace smsflow::kafka
