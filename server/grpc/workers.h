// A few threads that do what must not be done on the threads of gRPC or of a partition: sending answers, reading disks.
//
// Thread-safe. Work is begun in the order in which it came. Stop() does what is queued, then joins; what comes later is
// not taken.
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

  Workers(int threads, std::size_t queue_max);
  ~Workers() { Stop(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // False: the queue is full or it stops, and `work` was not taken.
  [[nodiscard]] bool TryRun(Work work);
  void Stop();

 private:
  void Loop();

  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace smsflow::server
