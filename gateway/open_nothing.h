// For benchmarks of the engine: a gateway that opens nothing, stores nothing, and says SENT and DELIVERED at once. It
// keeps no promise of docs/hand-over.md but speed.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/link.h"

namespace smsflow::gateway {

class OpenNothing : public LinkEvents {
 public:
  // `link` outlives it.
  OpenNothing(engine::PeerHello hello, Link& link) : hello_(std::move(hello)), link_(link) {}
  ~OpenNothing() override;

  void Start();
  void Stop();  // idempotent

  engine::PeerHello Hello() override { return hello_; }
  void OnAttached() override {}
  void OnDetached(const absl::Status&) override {}
  void OnLeases(std::vector<Lease> leases) override;
  void OnProbes(std::vector<engine::Probe> probes) override;
  void OnAnswers(std::vector<Answer>) override {}
  void OnGone(std::size_t) override {}

 private:
  void Loop();

  const engine::PeerHello hello_;
  Link& link_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Report> reports_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace smsflow::gateway
