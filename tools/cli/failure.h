// How the program ends, and the one line that it then leaves on stderr.
//
// Pure functions, safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace smsflow::cli {

// For scripts; printed by `smsflow --help` and docs/cli.md. Never change what a number means.
inline constexpr int kExitOk = 0;
inline constexpr int kExitNegative = 1;  // it worked, and the answer is no: differences, violations, rows that failed
inline constexpr int kExitUsage = 2;     // flags, files or fields are wrong
inline constexpr int kExitNotFound = 3;
inline constexpr int kExitRefused = 4;      // not in this state, or not now
inline constexpr int kExitUnreachable = 5;  // no server, no answer, or a server that failed
inline constexpr int kExitDenied = 6;       // no credential, or not one for this

int ExitCodeOf(const absl::Status& status);

// The credential has the role, but not for all tenants, whom the verb concerns.
bool IsForSomeTenantsOnly(const absl::Status& status);

// The violations of a google.rpc.BadRequest in the details of a gRPC status, as `field: rule; field: rule`. Empty when
// there are none.
std::string Violations(std::string_view status_details);

}  // namespace smsflow::cli
