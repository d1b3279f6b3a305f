// What is wrong with a request, field by field, in words that hold for every door: never the value.
//
// Plain functions; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "workflows/workflow.h"

namespace smsflow::server {

using Violations = std::vector<workflows::FieldViolation>;

// INVALID_ARGUMENT whose one line holds them all.
absl::Status ToStatus(const Violations& violations);
std::string LineOf(const Violations& violations);

// Valid UTF-8 without control characters.
bool IsPrintable(std::string_view text);

}  // namespace smsflow::server
