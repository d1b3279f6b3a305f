// How many SMSes are on their way in a closed loop; whoever makes new ones waits here for room. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace smsflow::bench {

class Window {
 public:
  explicit Window(std::uint64_t size) : size_(size) {}

  void Enter(std::uint64_t count = 1) { in_.fetch_add(count, std::memory_order_acq_rel); }
  void Leave(std::uint64_t count = 1) {
    const std::uint64_t before = in_.fetch_sub(count, std::memory_order_acq_rel);
    over_.fetch_add(count, std::memory_order_relaxed);
    // One wake for many places: a client that is woken for each of them would measure its own waking.
    const std::uint64_t low = size_ - size_ / 4;
    if (before == count || (before > low && before - count <= low)) {
      { const std::lock_guard lock(mutex_); }
      room_.notify_all();
    }
  }
  // Blocks until fewer than `bound` are in.
  void AwaitBelow(std::uint64_t bound) {
    if (in() < bound) return;
    std::unique_lock lock(mutex_);
    while (in() >= bound) room_.wait_for(lock, std::chrono::milliseconds(2));
  }
  std::uint64_t size() const { return size_; }
  std::uint64_t in() const { return in_.load(std::memory_order_acquire); }
  std::uint64_t over() const { return over_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t size_;
  std::atomic<std::uint64_t> in_{0};
  std::atomic<std::uint64_t> over_{0};
  std::mutex mutex_;
  std::condition_variable room_;
};

}  // namespace smsflow::bench
