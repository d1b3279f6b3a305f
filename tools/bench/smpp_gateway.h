// The gateway that a benchmark measures, in this process: core, store on disk with every commit synced, the carrier
// over SMPP. Its engine is a recorded feed: envelopes that were sealed beforehand, handed over as fast as they are
// taken, and answered at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/bench/part.h"

namespace smsflow::bench {

class SmppGateway : public Part {
 public:
  // Blocks until it is bound to the SMSC. Its store lies in `folder`; `in_flight` SMSes are under way at most, from the
  // hand-over to the report of DELIVERED. CPU is that of the process without the thread that feeds.
  static absl::StatusOr<std::unique_ptr<SmppGateway>> Open(const std::string& folder, std::uint16_t smsc_port,
                                                           std::uint32_t in_flight);
  // Hands over at `rate` for so long, whatever comes back, then waits for the rest: milliseconds from when each should
  // have been handed over to its DELIVERED.
  virtual std::vector<double> RunOpen(double seconds, double rate) = 0;
  virtual std::uint64_t failures() const = 0;  // reports of anything but ACCEPTED, SENT and DELIVERED
};

inline constexpr char kSmppSystemId[] = "smsflow";

}  // namespace smsflow::bench
