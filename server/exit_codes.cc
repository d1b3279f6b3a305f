#include "server/exit_codes.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/data_folder.h"

namespace smsflow::server {

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

absl::Status WithAdvice(const absl::Status& failed) {
  if (!storage::RepairMayHelp(failed) || absl::StrContains(failed.message(), "smsflow db repair")) return failed;
  return absl::DataLossError(
      absl::StrCat(failed.message(), "; 'smsflow db repair' makes a copy that is whole, if one can be made"));
}

}  // namespace smsflow::server
