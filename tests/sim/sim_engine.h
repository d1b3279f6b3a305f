// The engine's doors with a seeded bug in them: what is asked and answered may be changed on its way. Thread: the
// run's.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/engine.h"
#include "engine/seams.h"
#include "tests/sim/hooks.h"

namespace smsflow::sim {

std::unique_ptr<engine::Engine> WithHooks(std::unique_ptr<engine::Engine> real, const Hooks& hooks);

// The same time, but later.
class ClockAhead : public engine::Clock {
 public:
  ClockAhead(const engine::Clock& real, std::int64_t ahead_ms) : real_(real), ahead_ms_(ahead_ms) {}
  std::int64_t WallMs() const override { return real_.WallMs() + ahead_ms_; }
  std::int64_t SteadyMs() const override { return real_.SteadyMs(); }

 private:
  const engine::Clock& real_;
  const std::int64_t ahead_ms_;
};

// Chance that is none: what is drawn repeats after three.
class SameRandom : public engine::Random {
 public:
  std::uint64_t Next64() override { return 1 + drawn_++ % 3; }

 private:
  std::uint64_t drawn_ = 0;
};

}  // namespace smsflow::sim
