// The bare loop: RocksDB alone, written by one thread in explicit batches of 256 events, each batch synced, with the
// same rows under the same kind of keys as the engine writes, and the best options that we know. What it reaches is the
// limit of anything that stores those rows on this machine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/bench/part.h"
#include "tools/bench/shape.h"

namespace smsflow::bench {

// What is counted: SMSes scheduled, or whole lives.
enum class Extent : std::uint8_t { kSchedules, kLives };

// `folder` must not exist; it is left to whoever removes the folder above it. Slices count CPU of the whole process.
absl::StatusOr<std::unique_ptr<Part>> OpenBareStore(const std::string& folder, const SmsShape& shape, Extent extent);

// The same for rows of other kinds: each SMS writes `batches` one after the other, and its id stands in their keys
// where `example` does now.
absl::StatusOr<std::unique_ptr<Part>> OpenBareStore(const std::string& folder, std::vector<BatchShape> batches,
                                                    const InstanceId& example);

// The rhythm of the disk alone: appends and fdatasyncs of `bytes` each for `seconds`; the median in milliseconds.
absl::StatusOr<double> MedianSyncMs(const std::string& folder, std::size_t bytes, double seconds);

}  // namespace smsflow::bench
