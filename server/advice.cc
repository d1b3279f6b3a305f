#include "server/advice.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/data_folder.h"

namespace smsflow::server {

absl::Status WithAdvice(const absl::Status& failed) {
  if (!storage::RepairMayHelp(failed) || absl::StrContains(failed.message(), "smsflow db repair")) return failed;
  return absl::DataLossError(
      absl::StrCat(failed.message(), "; 'smsflow db repair' makes a copy that is whole, if one can be made"));
}

}  // namespace smsflow::server
