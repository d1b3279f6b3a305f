// Local times to UTC by the system's time zone database. A target of its own: the machine itself never reads a zone,
// for a journal must decide the same when the database has changed.
#pragma once

#include <istream>
#include <memory>
#include <string>

#include "workflows/delivery/slots.h"

namespace smsflow::workflows::delivery {

// The version that the compact form of the database begins with, such as "2025b"; "unknown" when it does not.
std::string TzdataVersion(std::istream& compact);

// Loads the database on first use; throws nothing. Safe from any thread.
std::unique_ptr<ZoneResolver> MakeZoneResolver();

}  // namespace smsflow::workflows::delivery
