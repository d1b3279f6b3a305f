// Local times to UTC by the system's time zone database. A target of its own: the machine itself never reads a zone,
// for a journal must decide the same when the database has changed.
#pragma once

#include <memory>

#include "workflows/delivery/slots.h"

namespace smsflow::workflows::delivery {

// Loads the database on first use; throws nothing. Safe from any thread.
std::unique_ptr<ZoneResolver> MakeZoneResolver();

}  // namespace smsflow::workflows::delivery
