// The states of an SMS as words and colours.
//
// Pure functions, safe from any thread.
#pragma once

#include <optional>
#include <string_view>

#include "smsflow/v1/scheduler.pb.h"
#include "tools/cli/terminal.h"

namespace smsflow::cli {

std::string_view StateName(smsflow::v1::SmsState state);  // "PENDING"; "new" for none; "?" for one from a newer server
std::optional<smsflow::v1::SmsState> ParseState(std::string_view name);  // any case, `-` for `_`
Color StateColor(smsflow::v1::SmsState state);
// Over for its user: nothing more happens by itself.
bool HasEnded(smsflow::v1::SmsState state);

}  // namespace smsflow::cli
