// A password from where nobody else sees it: typed without echo, a file, or standard input. Never from a flag: those
// stand in the list of processes.
//
// Blocks on the person or the disk; main thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "tools/cli/terminal.h"

namespace smsflow::cli {

// The first line of `file` ("-": of standard input). Empty: asked for twice on a terminal, else the first line of
// standard input.
[[nodiscard]] absl::StatusOr<std::string> ReadPassword(const Terminal& terminal, const std::string& file);

}  // namespace smsflow::cli
