// What the server would say of a request, as far as that can be known without asking it: for a dry run.
//
// A pure function, but that `zones` may read the time zone database once.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "smsflow/v1/scheduler.pb.h"

namespace smsflow::workflows::delivery {
class ZoneResolver;
}

namespace smsflow::cli {

// Valid UTF-8 without control characters.
bool IsPrintable(std::string_view text);

// What is said of a field `schedule`, under the name that it was typed with; and of its form: the server knows two, and
// here there is a third.
std::string SlotsAsTyped(std::string text, std::string_view name);

// InvalidArgument names the field and the rule. Limits that a server's configuration sets, such as how far ahead a slot
// may lie, are not known here.
[[nodiscard]] absl::Status CheckLikeTheServer(const smsflow::v1::ScheduleRequest& request,
                                              const workflows::delivery::ZoneResolver* zones);

}  // namespace smsflow::cli
