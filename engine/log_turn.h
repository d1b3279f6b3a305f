// Whose batch the log takes next. The store writes and syncs one batch at a time, so a partition that has to wait may
// as well leave its batch open: what comes meanwhile is then synced with it, and not only after two more syncs.
//
// Thread-safe. First come, first served.
#pragma once

#include <cstdint>
#include <utility>

#include "absl/synchronization/mutex.h"

namespace smsflow::engine {

class LogTurn {
 public:
  // Has the turn from Take() to Pass(), or until it is destroyed.
  class Holder {
   public:
    explicit Holder(LogTurn& turn) : turn_(turn) {}
    ~Holder() { Pass(); }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    // Blocks until it is the caller's turn; true if that took any waiting. REQUIRES that it has none.
    bool Take() {
      holds_ = true;
      return turn_.Await();
    }
    void Pass() {
      if (std::exchange(holds_, false)) turn_.Pass();
    }

   private:
    LogTurn& turn_;
    bool holds_ = false;
  };

 private:
  bool Await() {
    absl::MutexLock lock(&mutex_);
    const std::uint64_t mine = last_++;
    const auto is_mine = [this, mine]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return now_ == mine; };
    if (is_mine()) return false;
    mutex_.Await(absl::Condition(&is_mine));
    return true;
  }
  void Pass() {
    absl::MutexLock lock(&mutex_);
    ++now_;
  }

  absl::Mutex mutex_;
  std::uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t now_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace smsflow::engine
