// What is answered to an event that has no row in its state. Private to the machine.
#pragma once

#include "workflows/delivery/moment.h"

namespace smsflow::workflows::delivery {

// Fills verdict, outcome, code and reason; nothing else changes, but that a report stays recorded.
void Refuse(Moment& moment);

}  // namespace smsflow::workflows::delivery
