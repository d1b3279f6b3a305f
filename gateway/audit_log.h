// What became of each attempt, a file for each tenant, for whoever must account for it: a line for each word, without
// number, sender or text.
//
//   2026-11-21T09:00:00.123Z <tab> attempt <tab> result <tab> cause or -
//
// A file is named after its tenant, `TENANT.log`; bytes that cannot stand in a name are written as %XX. Each is opened
// anew for what is written, so that it can be moved away at any time. Nothing is synced: the store is what counts, and
// what a crash takes from here can be asked of the engine.
//
// Thread-safe; blocks on the disk.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/attempt.h"

namespace smsflow::gateway {

struct AuditLine {
  std::string tenant;
  Report report;
};

class AuditLog {
 public:
  // Makes the folder, mode 0700, when it is not there.
  static absl::StatusOr<AuditLog> Open(std::string folder);

  // The first error; the other tenants' lines are written all the same.
  absl::Status Append(const std::vector<AuditLine>& lines) const;

  static std::string FileNameOf(std::string_view tenant);

 private:
  explicit AuditLog(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

}  // namespace smsflow::gateway
