#include "server/grpc/workers.h"

#include <utility>

namespace smsflow::server {

Workers::Workers(int threads, std::size_t queue_max) : queue_max_(queue_max), alone_(threads == 1) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

void Workers::Run(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      queue_.push_back(std::move(work));
      // Those that are awake look again before they sleep.
      if (queue_.size() == 1 || !alone_) wake_.notify_one();
      return;
    }
  }
  work();
}

bool Workers::TryRun(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= queue_max_ || stopping_) return false;
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

void Workers::Loop() {
  std::deque<Work> mine;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    // A single thread takes all at once; several take one each, so that a long one holds up none.
    if (alone_) {
      mine.swap(queue_);
    } else {
      mine.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    lock.unlock();
    for (Work& work : mine) work();
    mine.clear();
    lock.lock();
  }
}

void Workers::Stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace smsflow::server
