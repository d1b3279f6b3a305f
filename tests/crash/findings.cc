#include "tests/crash/findings.h"

#include <utility>

#include "ids/ids.h"

namespace smsflow::crash {

void Findings::Add(const std::string& what, const std::string& id) {
  const std::lock_guard lock(mutex_);
  all_.push_back({what, id});
}

std::size_t Findings::count() const {
  const std::lock_guard lock(mutex_);
  return all_.size();
}

std::vector<Finding> Findings::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(all_, {});
}

std::string IdText(const std::string& id) {
  const auto instance = InstanceId::FromBytes(id);
  return instance.has_value() ? instance->ToString() : "?";
}

}  // namespace smsflow::crash
