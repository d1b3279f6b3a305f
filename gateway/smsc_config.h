// The file that says how SMSCs are spoken to (`smsflow-gateway --smsc FILE`): TOML, one [[smsc]] per connection.
// docs/gateway.md lists its keys.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/smsc_options.h"

namespace smsflow::gateway {

// Reads a file that the configuration names: a password, certificates. `secret`: nobody else may be able to read it.
using FileReader = std::function<absl::StatusOr<std::string>(const std::string& file, bool secret)>;

// `name` is the file's, for errors. InvalidArgument has all that is wrong, one line each: `name:LINE:COLUMN: key rule`,
// and repeats no value.
[[nodiscard]] absl::StatusOr<std::vector<SmscOptions>> ReadSmscConfig(std::string_view toml, std::string_view name,
                                                                      const FileReader& read);

}  // namespace smsflow::gateway
