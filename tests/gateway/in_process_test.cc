#include "gateway/in_process.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>

#include "gateway/open_nothing.h"
#include "tests/engine/idle_engine.h"
#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

// The engine as a peer sees it: one session, whose reports are noted and answered by the test.
class PeerSide : public engine::IdleEngine {
 public:
  struct Noted {
    AttemptId attempt;
    workflows::Event event;
    absl::AnyInvocable<void(engine::ReportAnswer)> done;
  };

  absl::StatusOr<std::unique_ptr<engine::PeerSession>> Attach(engine::PeerHello hello,
                                                              std::shared_ptr<engine::PeerLink> link) override {
    if (!refusal.ok()) return refusal;
    last_hello = std::move(hello);
    peer = std::move(link);
    return std::make_unique<Session>(*this);
  }
  bool Await(std::size_t reports) {
    std::unique_lock lock(mutex);
    return heard.wait_for(lock, std::chrono::seconds(20), [&] { return noted.size() >= reports; });
  }

  absl::Status refusal;
  engine::PeerHello last_hello;
  std::shared_ptr<engine::PeerLink> peer;
  std::uint32_t credit = 0;
  std::mutex mutex;
  std::condition_variable heard;
  std::vector<Noted> noted;
  bool detached = false;

 private:
  class Session : public engine::PeerSession {
   public:
    explicit Session(PeerSide& engine) : engine_(engine) {}
    ~Session() override { engine_.detached = true; }
    void AddCredit(std::uint32_t more) override { engine_.credit += more; }
    void Report(const AttemptId& attempt, workflows::Event event,
                absl::AnyInvocable<void(engine::ReportAnswer)> done) override {
      const std::lock_guard lock(engine_.mutex);
      engine_.noted.push_back({attempt, std::move(event), std::move(done)});
      engine_.heard.notify_all();
    }
    bool Congested() const override { return false; }

   private:
    PeerSide& engine_;
  };
};

class Events : public LinkEvents {
 public:
  engine::PeerHello Hello() override { return {{"g1", "uuid"}, tenants, {}, {}}; }
  void OnAttached() override { ++attached; }
  void OnDetached(const absl::Status& why) override { detached = why; }
  void OnLeases(std::vector<Lease> more) override { leases += more.size(); }
  void OnProbes(std::vector<engine::Probe> more) override { probes += more.size(); }
  void OnAnswers(std::vector<Answer> more) override { answers.insert(answers.end(), more.begin(), more.end()); }

  void OnGone(std::size_t reports) override { gone += reports; }

  std::vector<std::string> tenants = {"clinic"};
  int attached = 0;
  absl::Status detached;
  std::size_t leases = 0, probes = 0, gone = 0;
  std::vector<Answer> answers;
};

TEST(InProcessLink, CarriesBothWays) {
  PeerSide engine;
  Events events;
  auto link = MakeInProcessLink(engine, 9);
  link->Start(events);
  EXPECT_EQ(events.attached, 1);
  EXPECT_EQ(engine.credit, 9u);
  EXPECT_EQ(engine.last_hello.peer.store_uuid, "uuid");
  engine.peer->Send(std::vector{LeaseOf(Attempt(1)), LeaseOf(Attempt(2))});
  engine.peer->Send(std::vector{engine::Probe{Attempt(1), kNow}});
  EXPECT_EQ(events.leases, 2u);
  EXPECT_EQ(events.probes, 1u);

  link->Report({{Attempt(1, 3), Reported::kFailedTransient, About::kRoute, "throttled", kNow}});
  ASSERT_EQ(engine.noted.size(), 1u);
  EXPECT_EQ(engine.noted[0].attempt, Attempt(1, 3));
  const auto expected =
      workflows::delivery::EncodeReport({3, Reported::kFailedTransient, About::kRoute, "throttled", kNow});
  EXPECT_EQ(engine.noted[0].event.kind, expected.kind);
  EXPECT_EQ(engine.noted[0].event.body, expected.body);
  engine.noted[0].done({Attempt(1, 3), engine::ReportOutcome::kApplied});
  ASSERT_EQ(events.answers.size(), 1u);
  EXPECT_EQ(events.answers[0].result, Reported::kFailedTransient);
  EXPECT_TRUE(events.answers[0].ours);
}

TEST(InProcessLink, TellsWhatIsNotOursAndNothingOfAFailure) {
  PeerSide engine;
  Events events;
  auto link = MakeInProcessLink(engine, 1);
  link->Start(events);
  link->Report(
      {{Attempt(1), Reported::kSent, About::kNotSaid, "", 0}, {Attempt(2), Reported::kSent, About::kNotSaid, "", 0}});
  ASSERT_EQ(engine.noted.size(), 2u);
  engine.noted[0].done({Attempt(1), engine::ReportOutcome::kFailed});
  EXPECT_TRUE(events.answers.empty()) << "it is to be repeated";
  EXPECT_EQ(events.gone, 2u) << "the link holds neither any more";
  engine.noted[1].done({Attempt(2), engine::ReportOutcome::kNotYours});
  ASSERT_EQ(events.answers.size(), 1u);
  EXPECT_FALSE(events.answers[0].ours);
}

TEST(InProcessLink, RenewedItAttachesAnewWithWhatIsToBeSaidNow) {
  PeerSide engine;
  Events events;
  auto link = MakeInProcessLink(engine, 9);
  link->Renew();
  EXPECT_EQ(engine.peer, nullptr) << "it was not started";
  link->Start(events);
  events.tenants = {"clinic", "lab"};
  link->Renew();
  EXPECT_TRUE(engine.detached) << "before it attaches again, so that nobody replaces anybody";
  EXPECT_EQ(engine.last_hello.tenants, events.tenants);
  EXPECT_EQ(events.attached, 2);
  EXPECT_EQ(engine.credit, 18u) << "each attachment has its own";
  link->Report({{Attempt(1), Reported::kSent, About::kNotSaid, "", 0}});
  EXPECT_EQ(engine.noted.size(), 1u);
  link->Stop();
  link->Renew();
  EXPECT_EQ(events.attached, 2) << "the end is the end";
}

TEST(InProcessLink, AfterStopNothingComes) {
  PeerSide engine;
  Events events;
  auto link = MakeInProcessLink(engine, 1);
  link->Start(events);
  link->Report({{Attempt(1), Reported::kSent, About::kNotSaid, "", 0}});
  link->Stop();
  EXPECT_TRUE(engine.detached);
  engine.peer->Send(std::vector{LeaseOf(Attempt(1))});
  engine.noted[0].done({Attempt(1), engine::ReportOutcome::kApplied});
  link->Report({{Attempt(1), Reported::kSent, About::kNotSaid, "", 0}});
  EXPECT_EQ(events.leases, 0u);
  EXPECT_TRUE(events.answers.empty());
  EXPECT_EQ(engine.noted.size(), 1u);
}

TEST(InProcessLink, ARefusalIsTold) {
  PeerSide engine;
  engine.refusal = absl::FailedPreconditionError("another store is attached");
  Events events;
  auto link = MakeInProcessLink(engine, 1);
  link->Start(events);
  EXPECT_EQ(events.attached, 0);
  EXPECT_EQ(events.detached.code(), absl::StatusCode::kFailedPrecondition);
}

TEST(OpenNothing, SaysSentAndDeliveredOfEachLease) {
  PeerSide engine;
  auto link = MakeInProcessLink(engine, 100'000);
  OpenNothing gateway({{"bench", "uuid"}, {"clinic"}, {}, {}}, *link);
  gateway.Start();
  engine.peer->Send(std::vector{LeaseOf(Attempt(1)), LeaseOf(Attempt(2))});
  engine.peer->Send(std::vector{engine::Probe{Attempt(3), kNow}});
  ASSERT_TRUE(engine.Await(5));
  gateway.Stop();
  std::map<AttemptId, std::size_t> counts;
  for (const auto& noted : engine.noted) ++counts[noted.attempt];
  EXPECT_EQ(counts, (std::map<AttemptId, std::size_t>{{Attempt(1), 2}, {Attempt(2), 2}, {Attempt(3), 1}}));
}

}  // namespace
}  // namespace smsflow::gateway
