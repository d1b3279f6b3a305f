#include "gateway/in_process.h"

#include <chrono>
#include <iterator>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace smsflow::gateway {
namespace {

// Held by the engine and by the link; what comes after Stop() goes nowhere.
class Ears : public engine::PeerLink {
 public:
  explicit Ears(LinkEvents& events) : events_(&events) {}

  void Send(std::vector<engine::Lease> leases) override {
    const std::lock_guard lock(mutex_);
    if (events_ == nullptr) return;
    events_->OnLeases({std::make_move_iterator(leases.begin()), std::make_move_iterator(leases.end())});
  }
  void Send(std::vector<engine::Probe> probes) override {
    const std::lock_guard lock(mutex_);
    if (events_ != nullptr) events_->OnProbes(std::move(probes));
  }
  void Close(const absl::Status& why) override {
    const std::lock_guard lock(mutex_);
    if (events_ != nullptr) events_->OnDetached(why);
  }
  void Answered(Answer answer) {
    const std::lock_guard lock(mutex_);
    if (events_ != nullptr) events_->OnAnswers({answer});
  }
  void Gone(std::size_t reports) {
    const std::lock_guard lock(mutex_);
    if (events_ != nullptr) events_->OnGone(reports);
  }
  void Attached() {
    const std::lock_guard lock(mutex_);
    if (events_ != nullptr) events_->OnAttached();
  }
  void Detached(const absl::Status& why) { Close(why); }
  void Deafen() {
    const std::lock_guard lock(mutex_);
    events_ = nullptr;
  }

 private:
  std::mutex mutex_;
  LinkEvents* events_;
};

workflows::Event EventOf(const Report& report) {
  return workflows::delivery::EncodeReport(
      {report.attempt.number, report.result, report.about, report.cause, report.at_ms});
}

class InProcessLink : public Link {
 public:
  InProcessLink(engine::Engine& engine, std::uint32_t credit) : engine_(engine), credit_(credit) {}
  ~InProcessLink() override { Stop(); }

  void Start(LinkEvents& events) override {
    const std::lock_guard lock(attaching_);
    events_ = &events;
    ears_ = std::make_shared<Ears>(events);
    Attach();
  }

  void Renew() override {
    const std::lock_guard lock(attaching_);
    if (events_ == nullptr) return;  // it says what is so then when it starts; and after the end nobody listens
    Leave();
    Attach();
  }

  void Report(std::vector<gateway::Report> reports) override {
    std::shared_ptr<engine::PeerSession> session;
    {
      const std::lock_guard lock(mutex_);
      session = session_;
    }
    if (session == nullptr) return;
    // Reports are never refused, so whoever brings them goes slower instead.
    for (int waits = 0; waits < kWaitsMost && session->Congested(); ++waits) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    for (const gateway::Report& report : reports) {
      session->Report(report.attempt, EventOf(report),
                      [ears = ears_, result = report.result](engine::ReportAnswer answer) {
                        if (answer.outcome == engine::ReportOutcome::kFailed) return;  // to be repeated
                        ears->Answered({answer.attempt, result, answer.outcome != engine::ReportOutcome::kNotYours});
                      });
    }
    ears_->Gone(reports.size());
  }

  void Stop() override {
    const std::lock_guard lock(attaching_);
    events_ = nullptr;
    Leave();
    if (ears_ != nullptr) ears_->Deafen();
  }

 private:
  static constexpr int kWaitsMost = 500;

  // Both under `attaching_`.
  void Attach() {
    auto session = engine_.Attach(events_->Hello(), ears_);
    if (!session.ok()) return ears_->Detached(session.status());
    (*session)->AddCredit(credit_);
    {
      const std::lock_guard lock(mutex_);
      session_ = std::move(*session);
    }
    ears_->Attached();
  }
  void Leave() {
    std::shared_ptr<engine::PeerSession> session;
    const std::lock_guard lock(mutex_);
    session = std::move(session_);
  }

  engine::Engine& engine_;
  const std::uint32_t credit_;
  std::mutex attaching_;          // one attachment at a time; taken before mutex_
  LinkEvents* events_ = nullptr;  // null: not started, or stopped
  std::shared_ptr<Ears> ears_;
  std::mutex mutex_;
  std::shared_ptr<engine::PeerSession> session_;
};

}  // namespace

std::unique_ptr<Link> MakeInProcessLink(engine::Engine& engine, std::uint32_t credit) {
  return std::make_unique<InProcessLink>(engine, credit);
}

}  // namespace smsflow::gateway
