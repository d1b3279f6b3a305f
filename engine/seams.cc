#include "engine/seams.h"

#include <ctime>
#include <random>

#include "absl/synchronization/mutex.h"

namespace smsflow::engine {
namespace {

std::int64_t NowMs(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

class RealClock : public Clock {
 public:
  std::int64_t WallMs() const override { return NowMs(CLOCK_REALTIME); }
  std::int64_t SteadyMs() const override { return NowMs(CLOCK_BOOTTIME); }
};

class RealRandom : public Random {
 public:
  RealRandom() {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
    generator_.seed(seed);
  }
  std::uint64_t Next64() override {
    absl::MutexLock lock(&mutex_);
    return generator_();
  }

 private:
  absl::Mutex mutex_;
  std::mt19937_64 generator_;
};

}  // namespace

Clock& SystemClock() {
  static RealClock clock;
  return clock;
}

Random& SystemRandom() {
  static RealRandom random;
  return random;
}

}  // namespace smsflow::engine
