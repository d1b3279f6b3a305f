#include "tests/sim/sim_engine.h"

#include <set>
#include <string>
#include <utility>

namespace smsflow::sim {
namespace {

using engine::Answer;

class HookedLink : public engine::PeerLink {
 public:
  HookedLink(std::shared_ptr<engine::PeerLink> real, const Hooks& hooks) : real_(std::move(real)), hooks_(hooks) {}
  void Send(std::vector<engine::Lease> leases) override {
    if (hooks_.lease)
      for (engine::Lease& lease : leases) hooks_.lease(lease);
    if (hooks_.lease_twice) real_->Send(std::vector<engine::Lease>(leases));
    real_->Send(std::move(leases));
  }
  void Send(std::vector<engine::Probe> probes) override { real_->Send(std::move(probes)); }
  void Close(const absl::Status& why) override { real_->Close(why); }
  bool Full() const override {
    was_full_ |= real_->Full();
    return hooks_.full_for_good ? was_full_ : real_->Full();
  }

 private:
  std::shared_ptr<engine::PeerLink> real_;
  const Hooks& hooks_;
  mutable bool was_full_ = false;
};

class HookedSession : public engine::PeerSession {
 public:
  HookedSession(std::unique_ptr<engine::PeerSession> real, const Hooks& hooks, bool again)
      : real_(std::move(real)), hooks_(hooks), again_(again) {}
  void AddCredit(std::uint32_t more) override {
    real_->AddCredit(hooks_.half_credit_again && again_ ? more / 2 : more);
  }
  void Report(const AttemptId& attempt, workflows::Event event,
              absl::AnyInvocable<void(engine::ReportAnswer)> done) override {
    AttemptId about = attempt;
    if (hooks_.report) hooks_.report(about, event);
    if (!hooks_.answer_reports_at_once) return real_->Report(about, std::move(event), std::move(done));
    done({about, engine::ReportOutcome::kApplied});
    real_->Report(about, std::move(event), [](engine::ReportAnswer) {});
  }
  bool Congested() const override { return real_->Congested(); }

 private:
  std::unique_ptr<engine::PeerSession> real_;
  const Hooks& hooks_;
  const bool again_;  // of a gateway that this engine has had before
};

class HookedEngine : public engine::Engine {
 public:
  HookedEngine(std::unique_ptr<engine::Engine> real, const Hooks& hooks) : real_(std::move(real)), hooks_(hooks) {}

  void Start() override { real_->Start(); }
  void Stop() override { real_->Stop(); }
  bool RunOnce() override {
    if (hooks_.trust_every_clock) real_->TrustClock();
    return real_->RunOnce();
  }
  bool RunPartition(std::uint16_t partition) override {
    if (hooks_.trust_every_clock) real_->TrustClock();
    return real_->RunPartition(partition);
  }
  void Create(engine::CreateRequest request, engine::Done done) override {
    if (hooks_.create) hooks_.create(request);
    real_->Create(std::move(request), std::move(done));
  }
  void Send(engine::EventRequest request, engine::Done done) override {
    if (hooks_.send) hooks_.send(request);
    if (!hooks_.answer) return real_->Send(std::move(request), std::move(done));
    real_->Send(std::move(request), [&hooks = hooks_, told = std::move(done)](engine::Answer answer) mutable {
      hooks.answer(answer);
      told(std::move(answer));
    });
  }
  void Sweep(engine::SweepRequest request, engine::SweepDone done) override {
    if (hooks_.sweep) hooks_.sweep(request);
    if (!hooks_.answer_sweeps_at_once) return real_->Sweep(std::move(request), std::move(done));
    done({absl::OkStatus(), {}, true});
    real_->Sweep(std::move(request), [](const engine::SweepAnswer&) {});
  }
  void Pause(engine::PauseRequest request, absl::AnyInvocable<void(absl::Status, bool)> done) override {
    if (hooks_.pause) hooks_.pause(request);
    real_->Pause(std::move(request), std::move(done));
  }
  absl::StatusOr<std::unique_ptr<engine::PeerSession>> Attach(engine::PeerHello hello,
                                                              std::shared_ptr<engine::PeerLink> link) override {
    if (hooks_.attach) hooks_.attach(hello);
    const bool again = !attached_.insert(hello.peer.gateway).second;
    auto session = real_->Attach(std::move(hello), std::make_shared<HookedLink>(std::move(link), hooks_));
    if (!session.ok()) return session.status();
    return std::make_unique<HookedSession>(*std::move(session), hooks_, again);
  }
  void Taken(ShardId shard, std::uint64_t sequence) override { real_->Taken(shard, sequence); }
  void Feed(engine::Origin origin, engine::FedWork work, engine::FedDone done) override {
    real_->Feed(std::move(origin), std::move(work), std::move(done));
  }
  void FeedProgress(engine::FeedRef feed, std::vector<std::uint64_t> next, storage::Hash16 digest, bool again,
                    absl::AnyInvocable<void(absl::Status)> done) override {
    real_->FeedProgress(std::move(feed), std::move(next), digest, again, std::move(done));
  }
  absl::StatusOr<engine::FeedPosition> FeedAt(const engine::FeedId& feed) const override { return real_->FeedAt(feed); }
  bool TakesCreations() const override { return real_->TakesCreations(); }
  void Drain(bool on) override { real_->Drain(on && !hooks_.ignore_drain); }
  absl::StatusOr<engine::WaitReasons> Explain(const InstanceId& id) override { return real_->Explain(id); }
  void TrustClock() override { real_->TrustClock(); }
  void SetDiskGuard(bool on) override { real_->SetDiskGuard(on && !hooks_.ignore_disk_guard); }
  std::uint64_t Committed(ShardId shard) const override { return real_->Committed(shard); }
  std::uint64_t Commits() const override { return real_->Commits(); }
  void AwaitCommit(std::uint64_t seen, std::int64_t timeout_ms) const override { real_->AwaitCommit(seen, timeout_ms); }
  engine::Figures TakeFigures() const override { return real_->TakeFigures(); }

 private:
  std::unique_ptr<engine::Engine> real_;
  const Hooks& hooks_;
  std::set<std::string> attached_;
};

}  // namespace

std::unique_ptr<engine::Engine> WithHooks(std::unique_ptr<engine::Engine> real, const Hooks& hooks) {
  return std::make_unique<HookedEngine>(std::move(real), hooks);
}

}  // namespace smsflow::sim
