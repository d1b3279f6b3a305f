// A line for the log of whoever runs a gateway: the programs have logs of their own kind.
#pragma once

#include <functional>
#include <string_view>

#include "logging/logging.h"

namespace smsflow::gateway {

// Warnings are what a person should look at. Called from any thread; must not block. Never a number, a text or a
// payload.
using NoticeHandler = std::function<void(LogLevel level, std::string_view line)>;

}  // namespace smsflow::gateway
