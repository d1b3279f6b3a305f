// The gateway's truth: what it submitted to the imaginary SMSC, one line per submit, synced before anyone is told.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/crash/findings.h"

namespace smsflow::crash {

struct Submit {
  std::uint32_t attempt = 0;
  std::int64_t at_ms = 0;
  std::int64_t deadline_ms = 0;
};
using Truth = std::map<std::string, std::vector<Submit>>;  // by the 16 bytes of the instance id

// Notes every attempt that stands there twice, or at or after its deadline, and every line that is none. The last line
// may be half of one: the gateway was killed while it wrote.
Truth ReadTruth(const std::string& file, Findings& findings);

}  // namespace smsflow::crash
