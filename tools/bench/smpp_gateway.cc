#include "tools/bench/smpp_gateway.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/envelope.h"
#include "crypto/random.h"
#include "gateway/gateway.h"
#include "gateway/smpp_carrier.h"
#include "tools/bench/sms_source.h"
#include "tools/bench/smsc_process.h"
#include "tools/bench/window.h"

namespace smsflow::bench {
namespace {

using gateway::Reported;

constexpr std::size_t kEnvelopes = 4'096;
constexpr std::uint64_t kAtOnce = 64;  // leases that come together, as a stream brings them
constexpr std::int64_t kSlot_ms = 3'600'000;
constexpr double kPatience_s = 30;
constexpr std::uint16_t kShards = 64;
constexpr char kText[] = "Your visit is tomorrow at 9. Please bring your card.";

// The engine's side: hands over what was recorded, and answers what is reported.
class Feed : public gateway::Link {
 public:
  explicit Feed(std::uint32_t in_flight) : window_(in_flight) {
    const auto key = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
    keys_.push_back({key, {}});
    for (std::size_t i = 0; i < kEnvelopes; ++i) {
      auto envelope = crypto::SealEnvelope(key.public_key(), crypto::EnvelopeSubject(kTenant, ""),
                                           absl::StrCat("To: +", 255'700'000'000 + i, "\nSender: CLINIC\n\n", kText));
      if (envelope.ok()) recorded_.push_back(std::move(*envelope));
    }
  }

  void Start(gateway::LinkEvents& events) override {
    events_ = &events;
    events.OnAttached();
  }
  void Stop() override {}
  void Report(std::vector<gateway::Report> reports) override {
    std::vector<gateway::Answer> answers;
    std::uint64_t delivered = 0;
    const double now = Now();
    for (const gateway::Report& report : reports) {
      answers.push_back({report.attempt, report.result, true});
      if (report.result == Reported::kDelivered) {
        ++delivered;
        NoteLatency(report.attempt, now);
      } else if (report.result != Reported::kAccepted && report.result != Reported::kSent) {
        failures_.fetch_add(1, std::memory_order_relaxed);
      }
    }
    events_->OnGone(reports.size());
    events_->OnAnswers(std::move(answers));
    if (delivered > 0) window_.Leave(delivered);
  }

  // `due`: when it should have come, where latencies are wanted.
  void HandOver(std::uint64_t count, std::optional<double> due = std::nullopt) {
    const auto now_ms = engine::SystemClock().WallMs();
    std::vector<engine::Lease> leases(count);
    for (engine::Lease& lease : leases) {
      const std::uint64_t random = crypto::Random64();
      lease.attempt = {InstanceId::Make(now_ms, ShardId{static_cast<std::uint16_t>(random % kShards)}, random), 1};
      lease.tenant = kTenant;
      lease.deadline_ms = now_ms + kSlot_ms;
      lease.payload = recorded_[next_++ % recorded_.size()];
      lease.mark = {lease.attempt.instance.shard(), 1, next_};
      if (!due) continue;
      const std::lock_guard lock(mutex_);
      due_.emplace(lease.attempt, *due);
    }
    window_.Enter(count);
    events_->OnLeases({std::make_move_iterator(leases.begin()), std::make_move_iterator(leases.end())});
  }
  std::vector<double> TakeLatencies() {
    const std::lock_guard lock(mutex_);
    return std::exchange(latencies_, {});
  }
  // False: what is under way does not end.
  bool AwaitNone() {
    const double end = Now() + kPatience_s;
    while (window_.in() > 0 && Now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return window_.in() == 0;
  }

  std::vector<crypto::VaultKey> keys() const { return keys_; }
  Window& window() { return window_; }
  std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

 private:
  void NoteLatency(const AttemptId& attempt, double now) {
    const std::lock_guard lock(mutex_);
    if (due_.empty()) return;
    const auto due = due_.find(attempt);
    if (due == due_.end()) return;
    latencies_.push_back((now - due->second) * 1000);
    due_.erase(due);
  }

  Window window_;
  std::vector<crypto::VaultKey> keys_;
  std::vector<std::string> recorded_;
  std::uint64_t next_ = 0;
  gateway::LinkEvents* events_ = nullptr;
  std::atomic<std::uint64_t> failures_{0};
  std::mutex mutex_;
  std::unordered_map<AttemptId, double> due_;
  std::vector<double> latencies_;
};

[[noreturn]] void Fatal(const absl::Status& status) {
  std::cerr << "smsflow-bench: the gateway's store failed: " << status.message() << '\n';
  std::_Exit(1);
}

class SmppGatewayImpl : public SmppGateway {
 public:
  ~SmppGatewayImpl() override {
    if (gateway_) gateway_->Stop();
  }

  absl::Status Open(const std::string& folder, std::uint16_t smsc_port, std::uint32_t in_flight) {
    auto feed = std::make_unique<Feed>(in_flight);
    feed_ = feed.get();
    gateway::SmscOptions smsc{.name = "bench", .account = "bench"};
    smsc.link.port = smsc_port;
    smsc.link.session.system_id = kSmppSystemId;
    smsc.link.session.window = kSmppWindow;
    gateway::GatewayOptions options{.gateway = "bench",
                                    .tenants = {std::string(kTenant)},
                                    .keys = feed->keys(),
                                    .store = folder,
                                    .truth = {},
                                    .loopback = {}};
    options.carrier = [this, smsc](std::unique_ptr<gateway::Opener> opener, engine::Clock& clock,
                                   const gateway::NoticeHandler& notice,
                                   gateway::InboundTaker*) -> absl::StatusOr<std::unique_ptr<gateway::Carrier>> {
      auto carrier = gateway::SmppCarrier::Make({smsc}, std::move(opener), clock, notice);
      if (!carrier.ok()) return carrier.status();
      carrier_ = carrier->get();
      return std::unique_ptr<gateway::Carrier>(std::move(*carrier));
    };
    auto opened = gateway::Gateway::Open(std::move(options), std::move(feed), engine::SystemClock(), Fatal);
    if (!opened.ok()) return opened.status();
    gateway_ = std::move(*opened);
    gateway_->Start();
    for (const double end = Now() + kPatience_s; !carrier_->figures().front().bound;) {
      if (Now() > end) return absl::UnavailableError("the gateway was not bound in time");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return absl::OkStatus();
  }

  Slice Run(double seconds) override {
    const double cpu = ProcessCpu() - ThreadCpu(), begun = Now();
    Window& window = feed_->window();
    const std::uint64_t before = window.over();
    while (Now() - begun < seconds) {
      window.AwaitBelow(window.size());
      const std::uint64_t in = window.in();
      if (in < window.size()) feed_->HandOver(std::min(kAtOnce, window.size() - in));
    }
    feed_->AwaitNone();
    Slice slice;
    slice.seconds = Now() - begun;
    slice.count = window.over() - before;
    slice.cpu_s = ProcessCpu() - ThreadCpu() - cpu;
    return slice;
  }

  std::vector<double> RunOpen(double seconds, double rate) override {
    const double begun = Now();
    std::uint64_t number = 0;
    for (double due = begun; due < begun + seconds; due = begun + static_cast<double>(++number) / rate) {
      const double left = due - Now();
      if (left > 0) std::this_thread::sleep_for(std::chrono::duration<double>(left));
      feed_->HandOver(1, due);
    }
    feed_->AwaitNone();
    return feed_->TakeLatencies();
  }

  std::uint64_t failures() const override { return feed_->failures(); }

 private:
  Feed* feed_ = nullptr;                     // of the gateway
  gateway::SmppCarrier* carrier_ = nullptr;  // likewise
  std::unique_ptr<gateway::Gateway> gateway_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SmppGateway>> SmppGateway::Open(const std::string& folder, std::uint16_t smsc_port,
                                                               std::uint32_t in_flight) {
  auto part = std::make_unique<SmppGatewayImpl>();
  if (const auto status = part->Open(folder, smsc_port, in_flight); !status.ok()) return status;
  return part;
}

}  // namespace smsflow::bench
