// What an event amounts to. Private to the machine.
#pragma once

#include <optional>

#include "workflows/delivery/moment.h"
#include "workflows/delivery/signals.h"

namespace smsflow::workflows::delivery {

// The signal that the table is to decide. A report, a lost peer or a silence that ran out has then been recorded in
// `moment.out` (results, cause, accepted, settled, about). nullopt: all is said already in `moment.out`.
std::optional<signals::Signal> SignalOf(Moment& moment);

}  // namespace smsflow::workflows::delivery
