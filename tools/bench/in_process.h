// The engine in this very process, without a door: what the core alone reaches, and where a profiler looks first.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/figures.h"
#include "tools/bench/bare_store.h"
#include "tools/bench/part.h"
#include "tools/bench/sms_source.h"

namespace smsflow::bench {

class InProcess : public Part {
 public:
  // Of the engine since it was opened.
  virtual engine::Figures figures() const = 0;
};

// `folder` must not exist. Kept busy by one client thread, with so many SMSes in flight; lives are over when the
// receipt is durable. Slices count the CPU of the process but for the client's and the gateway's threads.
absl::StatusOr<std::unique_ptr<InProcess>> OpenInProcess(const std::string& folder, Profile profile, Extent extent,
                                                         std::uint32_t in_flight, std::uint16_t partitions);

}  // namespace smsflow::bench
