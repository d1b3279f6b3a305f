// The epoch of a data folder: it rises when rows were lost that may have been seen outside, so that sequences that are
// given again are not taken for those of before. Marks of gateways and tokens of clients carry it.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/data_folder.h"

namespace smsflow::storage {

// All shards of a folder are in one.
absl::StatusOr<std::uint64_t> EpochOf(const Store& store);

// The next one, in every shard, and with it the high-water file; durable when it returns. Nothing may leave in it until
// somebody looked: all is paused. Of a folder that no engine has.
[[nodiscard]] absl::Status BeginEpoch(DataFolder& folder, std::int64_t now_ms);

}  // namespace smsflow::storage
