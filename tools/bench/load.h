// A client that loads a Scheduler over gRPC, whether that is smsflowd or the bare echo: the same calls, the same
// messages. A closed loop keeps a window full and shows what can be reached; an open loop sends at a given rate
// whatever comes back, and counts each latency from when the request should have left, so that a slow answer hides
// nothing.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/bench/part.h"
#include "tools/bench/sms_source.h"

namespace smsflow::bench {

enum class Door : std::uint8_t { kUnary, kBatch, kStream, kRest };

struct LoadOptions {
  std::string address;
  Door door = Door::kUnary;
  Profile profile = Profile::kBare;
  bool due_at_once = false;     // else in a month
  std::int64_t from_s = 0;      // or at this second
  bool lives = false;           // a gateway is attached, and an SMS is over once its receipt is durable
  std::uint32_t in_flight = 0;  // SMSes
  std::uint32_t lane = 0;       // two loads of one server need two
};

class Load : public Part {
 public:
  // A closed loop until so many more are over, and a few of the window's besides.
  virtual Slice RunCount(std::uint64_t count) = 0;
  // Latencies in milliseconds, in no order.
  virtual std::vector<double> RunOpen(double seconds, double rate_per_s) = 0;
  // Since the beginning; any makes the figures worthless.
  virtual std::uint64_t failures() const = 0;
  virtual std::string first_failure() const = 0;  // what the first one was told
};

inline constexpr std::uint32_t kBatchItems = 100;

std::unique_ptr<Load> MakeLoad(const LoadOptions& options);

}  // namespace smsflow::bench
