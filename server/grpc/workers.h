// A few threads that do what must not be done on the threads of gRPC or of a partition: sending answers, reading disks.
//
// Thread-safe. Work is begun in the order in which it came. Stop() does what is queued, then joins; what comes later is
// done on the caller's thread, so that no answer is ever lost.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace smsflow::server {

class Workers {
 public:
  using Work = absl::AnyInvocable<void()>;
  static constexpr std::size_t kUnbounded = static_cast<std::size_t>(-1);

  Workers(int threads, std::size_t queue_max);
  ~Workers() { Stop(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Never refused; for what is bounded elsewhere.
  void Run(Work work);
  // False: the queue is full, and `work` was not taken.
  [[nodiscard]] bool TryRun(Work work);
  void Stop();

 private:
  void Loop();

  const std::size_t queue_max_;
  const bool alone_;  // there is one thread only
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace smsflow::server
