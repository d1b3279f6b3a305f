// What a decoder said that would not take a record.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace smsflow::kafka {

template <class T>
std::string Refusal(const absl::StatusOr<T>& decoded) {
  return decoded.ok() ? "it was taken" : std::string(decoded.status().message());
}

}  // namespace smsflow::kafka
