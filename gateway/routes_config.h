// The file that says which way SMSes take and how fast they leave (`smsflow-gateway --routes FILE`): TOML, with
// [[plan]], [[route]] and [rates]. docs/routes.md lists its keys.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/sorter.h"

namespace smsflow::gateway {

// `name` is the file's, for errors; `smscs` are the connections that there are, of which a route may name some.
// InvalidArgument has all that is wrong with its form, one line each: `name:LINE:COLUMN: key rule`, and repeats no
// value; then what the plans and routes must hold.
[[nodiscard]] absl::StatusOr<PaceOptions> ReadRoutesConfig(std::string_view toml, std::string_view name,
                                                           const std::vector<std::string>& smscs);

}  // namespace smsflow::gateway
