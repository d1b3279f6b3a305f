#include "gateway/open_nothing.h"

#include <utility>

namespace smsflow::gateway {

OpenNothing::~OpenNothing() { Stop(); }

void OpenNothing::Start() {
  thread_ = std::thread([this] { Loop(); });
  link_.Start(*this);
}

void OpenNothing::Stop() {
  if (!thread_.joinable()) return;
  link_.Stop();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void OpenNothing::OnLeases(std::vector<Lease> leases) {
  {
    const std::lock_guard lock(mutex_);
    for (const Lease& lease : leases) {
      reports_.push_back({lease.attempt, Reported::kSent, About::kNotSaid, "", 0});
      reports_.push_back({lease.attempt, Reported::kDelivered, About::kNotSaid, "", 0});
    }
  }
  wake_.notify_one();
}

// It remembers nothing, so all that it can say is what it says of every attempt.
void OpenNothing::OnProbes(std::vector<engine::Probe> probes) {
  {
    const std::lock_guard lock(mutex_);
    for (const engine::Probe& probe : probes) {
      reports_.push_back({probe.attempt, Reported::kDelivered, About::kNotSaid, "", 0});
    }
  }
  wake_.notify_one();
}

void OpenNothing::Loop() {
  for (;;) {
    std::vector<Report> reports;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !reports_.empty(); });
      if (stopping_) return;
      std::swap(reports, reports_);
    }
    link_.Report(std::move(reports));
  }
}

}  // namespace smsflow::gateway
