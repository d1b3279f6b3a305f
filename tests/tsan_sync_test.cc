// What a Mutex guards is no race for ThreadSanitizer, and what it does not guard still is: `tsan_sync_test race` writes
// beside the lock, and must be stopped for it.
#include <cstring>
#include <iostream>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace {

constexpr int kThreads = 4, kTimes = 1000;

struct Shared {
  absl::Mutex mutex;
  int guarded = 0;
  int bare = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const bool race = argc > 1 && std::strcmp(argv[1], "race") == 0;
  Shared shared;
  const auto all = [&] { return shared.guarded == kThreads * kTimes; };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      for (int time = 0; time < kTimes; ++time) {
        if (race) ++shared.bare;
        absl::MutexLock lock(&shared.mutex);
        ++shared.guarded;
      }
    });
  {
    absl::MutexLock lock(&shared.mutex);
    if (!shared.mutex.AwaitWithTimeout(absl::Condition(&all), absl::Seconds(60))) return 2;
    ++shared.guarded;
  }
  for (std::thread& thread : threads) thread.join();

  // The lock is taken also when the time is over.
  const auto more = [&] { return shared.bare == 1; };
  if (shared.mutex.LockWhenWithTimeout(absl::Condition(&more), absl::Milliseconds(1))) return 2;
  shared.bare = 0;
  shared.mutex.Unlock();
  std::thread teller([&] {
    absl::MutexLock lock(&shared.mutex);
    shared.bare = 1;
  });
  const bool heard = shared.mutex.LockWhenWithTimeout(absl::Condition(&more), absl::Seconds(60));
  shared.guarded += shared.bare;
  shared.mutex.Unlock();
  teller.join();
  if (!heard) return 2;
  std::cout << shared.guarded << "\n";
  return 0;
}
