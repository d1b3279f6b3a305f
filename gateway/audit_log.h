// What became of each attempt, a file for each tenant, for whoever must account for it: a line for each word that is
// told of it, without number, sender or text.
//
//   2026-11-21T09:00:00.123Z <tab> attempt <tab> result <tab> cause or -
//
// In between stand lines of the log itself, with - for the attempt: OPENED when a process writes the first time, CLOSED
// when it ends as it should, LOST with the number of lines that could not be written. So an OPENED without a CLOSED
// before it says that a process was killed, or the power failed. What it had not written of results is written anew by
// the next one, for results stand in the store: a line may be there twice, and is missing only after a loss of power,
// for nothing is synced here.
//
// A file is named after its tenant, `TENANT.log`; bytes that cannot stand in a name are written as %XX. One that would
// become too large is moved to `TENANT.log.1`, that to `.2` and so on, and the last goes: so the space is bounded. Each
// is opened anew for what is written, and may be moved away at any time. When the disk is full, lines are lost and
// counted, and SMSes go on: the store is what counts.
//
// Thread-safe; blocks on the disk.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/seams.h"
#include "gateway/attempt.h"
#include "gateway/notice.h"

namespace smsflow::gateway {

struct AuditOptions {
  std::string folder;                  // made, mode 0700, when it is not there; empty: no log
  std::int64_t file_bytes = 64 << 20;  // a file is no larger, unless one round's lines are
  int files = 8;                       // of a tenant, the one that is written included; at least 1
};

// Lines since the start.
struct AuditFigures {
  std::uint64_t written = 0, lost = 0;
};

class AuditLog {
 public:
  // INVALID_ARGUMENT: it is no folder, or cannot be. `clock` outlives the log.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(AuditOptions options, const engine::Clock& clock,
                                                        NoticeHandler notice);
  ~AuditLog();

  // What has no tenant, the answer to a probe of what nobody leased, is nobody's.
  void Append(const std::vector<Report>& reports);
  AuditFigures figures() const;

  static std::string FileNameOf(std::string_view tenant);

 private:
  struct Tenant {
    bool opened = false;     // by this process
    std::uint64_t lost = 0;  // lines that nobody was told of yet
  };

  AuditLog(AuditOptions options, const engine::Clock& clock, NoticeHandler notice);
  std::string Own(std::string_view word, std::string_view what) const;
  void Write(const std::string& tenant, const std::string& lines, std::uint64_t count);
  absl::Status AppendTo(const std::string& file, std::string bytes) const;
  absl::Status MakeRoom(const std::string& file) const;

  const AuditOptions options_;
  const engine::Clock& clock_;
  const NoticeHandler notice_;
  mutable std::mutex mutex_;
  std::map<std::string, Tenant> tenants_;
  AuditFigures figures_;
  bool failing_ = false;
};

}  // namespace smsflow::gateway
