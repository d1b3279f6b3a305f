#include "server/grpc/watch_hub.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/grpc/open_streams.h"

namespace smsflow::server {

namespace {

// How often journals are looked at while there are watchers: often enough for eyes, seldom enough for the writers.
constexpr std::chrono::milliseconds kRhythm(20);

}  // namespace

WatchHub::WatchHub(engine::Engine& engine) : engine_(engine), thread_([this] { Loop(); }) {}

WatchHub::~WatchHub() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool WatchHub::Add(std::shared_ptr<Watch> watch) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || watches_.size() >= kWatchesMax) return false;
    watches_.push_back(std::move(watch));
    woken_ = true;
  }
  wake_.notify_one();
  return true;
}

void WatchHub::Wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_one();
}

void WatchHub::Close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    woken_ = true;
  }
  wake_.notify_one();
}

void WatchHub::Loop() {
  std::uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (watches_.empty()) {
      wake_.wait(lock, [this] { return stopping_ || woken_; });
    } else if (!woken_) {
      wake_.wait_for(lock, kRhythm, [this] { return stopping_ || woken_; });
    }
    const bool woken = std::exchange(woken_, false);
    const bool closing = closing_;
    const std::vector<std::shared_ptr<Watch>> watches = watches_;
    lock.unlock();
    const std::uint64_t commits = engine_.Commits();
    bool more = false;
    if (woken || commits != seen) more = StepAll(watches, closing);
    seen = commits;
    lock.lock();
    if (more) woken_ = true;
    std::erase_if(watches_, [](const auto& watch) { return watch->gone(); });
  }
}

bool WatchHub::StepAll(const std::vector<std::shared_ptr<Watch>>& watches, bool closing) {
  bool more = false;
  for (const auto& watch : watches) {
    if (closing) watch->End(OpenStreams::Stopping());
    more = watch->Step() || more;
  }
  return more;
}

}  // namespace smsflow::server
