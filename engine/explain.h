// Why an instance waits, read from what is stored and from who is attached.
#pragma once

#include "absl/status/statusor.h"
#include "engine/shared.h"

namespace smsflow::engine {

// NOT_FOUND for an unknown id. Thread-safe; may block for the disk.
absl::StatusOr<WaitReasons> Explain(const Shared& shared, const InstanceId& id);

}  // namespace smsflow::engine
