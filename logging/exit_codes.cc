#include "logging/exit_codes.h"

namespace smsflow {

int ExitCodeOf(const absl::Status& failed) {
  switch (failed.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kDataLoss:
      return kExitConfig;
    default:  // a full disk, no file or no memory; EIO is kUnknown
      return kExitFatal;
  }
}

int ExitCodeOfFatal(const absl::Status& failed) { return absl::IsDataLoss(failed) ? kExitConfig : kExitFatal; }

}  // namespace smsflow
