// An engine that does nothing, for tests of what stands beside one: each overrides what it is about.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/engine.h"

namespace smsflow::engine {

// Takes everything, answers nothing, and refuses whoever attaches. Thread-safe.
class IdleEngine : public Engine {
 public:
  void Start() override {}
  void Stop() override {}
  bool RunOnce() override { return false; }
  bool RunPartition(std::uint16_t) override { return false; }
  void Create(CreateRequest, Done) override {}
  void Send(EventRequest, Done) override {}
  void Sweep(SweepRequest, SweepDone) override {}
  void Pause(PauseRequest, absl::AnyInvocable<void(absl::Status, bool)>) override {}
  absl::StatusOr<std::unique_ptr<PeerSession>> Attach(PeerHello, std::shared_ptr<PeerLink>) override {
    return absl::UnimplementedError("nobody attaches to an idle engine");
  }
  void Taken(ShardId, std::uint64_t) override {}
  void Feed(Origin, FedWork, FedDone) override {}
  void FeedProgress(FeedRef, std::vector<std::uint64_t>, storage::Hash16, bool,
                    absl::AnyInvocable<void(absl::Status)>) override {}
  absl::StatusOr<FeedPosition> FeedAt(const FeedId&) const override { return FeedPosition{}; }
  bool TakesCreations() const override { return true; }
  void Drain(bool) override {}
  absl::StatusOr<WaitReasons> Explain(const InstanceId&) override { return WaitReasons{}; }
  void TrustClock() override {}
  void SetDiskGuard(bool) override {}
  std::uint64_t Committed(ShardId) const override { return 0; }
  std::uint64_t Commits() const override { return 0; }
  void AwaitCommit(std::uint64_t, std::int64_t) const override {}
  Figures TakeFigures() const override { return {}; }
};

}  // namespace smsflow::engine
