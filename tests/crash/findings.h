// What was found broken, and of which SMS: each goes with that SMS's journal into the report. Thread-safe.
#pragma once

#include <mutex>
#include <string>
#include <vector>

namespace smsflow::crash {

struct Finding {
  std::string what;
  std::string id;  // 16 bytes; empty: it is of no single SMS
};

class Findings {
 public:
  void Add(const std::string& what, const std::string& id = "");
  std::size_t count() const;
  std::vector<Finding> Take();

 private:
  mutable std::mutex mutex_;
  std::vector<Finding> all_;
};

// The id as people write it, from its 16 bytes; "?" of anything else.
std::string IdText(const std::string& id);

}  // namespace smsflow::crash
