#include "gateway/truth_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace smsflow::gateway {

absl::StatusOr<std::unique_ptr<TruthLog>> TruthLog::Open(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open the truth log ", path));
  std::unique_ptr<TruthLog> log(new TruthLog(file));
  if (const auto status = log->CutHalfLine(); !status.ok()) return status;
  return log;
}

TruthLog::~TruthLog() { close(file_); }

absl::Status TruthLog::CutHalfLine() {
  off_t end = lseek(file_, 0, SEEK_END);
  for (char last = 0; end > 0; --end) {
    if (pread(file_, &last, 1, end - 1) != 1) return absl::ErrnoToStatus(errno, "cannot read the truth log");
    if (last == '\n') break;
  }
  if (end < 0 || ftruncate(file_, end) != 0) return absl::ErrnoToStatus(errno, "cannot cut the truth log");
  return absl::OkStatus();
}

absl::Status TruthLog::Append(const std::vector<Submit>& submits) {
  std::string lines;
  for (const Submit& submit : submits) {
    absl::StrAppend(&lines, submit.attempt.ToString(), " ", submit.at_ms, " ", submit.deadline_ms, "\n");
  }
  for (std::string_view rest = lines; !rest.empty();) {
    const ssize_t written = write(file_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return absl::ErrnoToStatus(errno, "cannot write the truth log");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fdatasync(file_) != 0) return absl::ErrnoToStatus(errno, "cannot sync the truth log");
  return absl::OkStatus();
}

}  // namespace smsflow::gateway
