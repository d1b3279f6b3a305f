#include "server/grpc/workers.h"

#include <utility>

namespace smsflow::server {

Workers::Workers(int threads, std::size_t queue_max) : queue_max_(queue_max) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
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
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    {
      Work mine = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      mine();
    }  // what it holds goes before the lock is taken again
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
