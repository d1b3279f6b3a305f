// What the engine takes from outside so that a simulation can replace it: time and chance. (Store and PeerLink are the
// other two seams.)
#pragma once

#include <cstdint>

namespace smsflow::engine {

// Thread-safe, does not block.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t WallMs() const = 0;    // Unix milliseconds; may jump
  virtual std::int64_t SteadyMs() const = 0;  // CLOCK_BOOTTIME: never jumps, goes on while the machine sleeps
};

// Thread-safe, does not block.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t Next64() = 0;  // uniform
};

// The real ones, in engine/seams.cc. `SystemRandom` is seeded from the system and good for ids and jitter, not for
// keys.
Clock& SystemClock();
Random& SystemRandom();

}  // namespace smsflow::engine
