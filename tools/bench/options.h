// What a benchmark is asked for on the command line.
#pragma once

#include <cstdint>
#include <string>

#include "tools/bench/sms_source.h"

namespace smsflow::bench {

struct Options {
  std::string workload = "life";
  Profile profile = Profile::kBare;
  double seconds = 60;  // of the subject, without the limit's own
  double slice_s = 5;   // limit and subject take turns in such slices
  std::uint32_t runs = 1;
  std::uint64_t count = 0;      // SMSes of wave, restart and size; 0: as the workload says
  std::uint32_t in_flight = 0;  // 0: as the workload says
  std::uint16_t partitions = 2;
  std::string folder = "/var/tmp";   // where data folders are made; never a memory disk
  std::string kafka;                 // brokers, of the workload kafka
  double outage_s = 0;               // of the workload kafka: the broker is away for so long; 0: never
  std::string kafka_down, kafka_up;  // commands that kill the broker, and start it again
  bool unary = false;                // lives: scheduled one by one instead of in batches
  bool engine_only = false;          // in this process, without a door
};

inline const char* NameOf(Profile profile) { return profile == Profile::kFull ? "full" : "bare"; }

}  // namespace smsflow::bench
