// What the imaginary SMSC was given: one line per submit, synced before anyone is told. No number and no text.
//
//   line := attempt id " " time_ms " " deadline_ms "\n"
//
// So a crash test can count what truly left. Used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ids/ids.h"

namespace smsflow::gateway {

class TruthLog {
 public:
  struct Submit {
    AttemptId attempt;
    std::int64_t at_ms = 0;
    std::int64_t deadline_ms = 0;
  };

  // Goes on at the end of the file; half a line there, of a process that was killed, is cut off.
  static absl::StatusOr<std::unique_ptr<TruthLog>> Open(const std::string& path);
  ~TruthLog();
  TruthLog(const TruthLog&) = delete;
  TruthLog& operator=(const TruthLog&) = delete;

  // All in one write and one sync; blocks for the disk. After an error nobody knows what left: the process must end.
  [[nodiscard]] absl::Status Append(const std::vector<Submit>& submits);

 private:
  explicit TruthLog(int file) : file_(file) {}
  absl::Status CutHalfLine();

  const int file_;
};

}  // namespace smsflow::gateway
