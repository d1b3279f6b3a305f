// The scopes of one shard in which nothing may leave now. Found by name, so that many pauses cost a leave no more than
// one does.
// Not thread-safe: belongs to its shard's partition.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "storage/keys.h"

namespace smsflow::engine {

class Pauses {
 public:
  // `value` as storage::PauseKey() takes it; `gateway` of that scope only. False: nothing changed.
  bool Add(storage::PauseScope scope, const storage::Hash16& value, const std::string& gateway) {
    if (!gateway.empty()) gateways_.insert(gateway);
    return values_.emplace(scope, value).second;
  }
  bool Remove(storage::PauseScope scope, const storage::Hash16& value, const std::string& gateway) {
    if (!gateway.empty()) gateways_.erase(gateway);
    return values_.erase({scope, value}) != 0;
  }

  bool empty() const { return values_.empty(); }
  // Whether a value of this scope need be asked for at all.
  bool Any(storage::PauseScope scope) const {
    const auto first = values_.lower_bound({scope, storage::Hash16{}});
    return first != values_.end() && first->first == scope;
  }
  bool Has(storage::PauseScope scope, const storage::Hash16& value) const { return values_.count({scope, value}) != 0; }
  const std::set<std::string>& gateways() const { return gateways_; }

 private:
  std::set<std::pair<storage::PauseScope, storage::Hash16>> values_;
  std::set<std::string> gateways_;
};

}  // namespace smsflow::engine
