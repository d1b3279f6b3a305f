#include "tools/bench/in_process.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "storage/data_folder.h"
#include "tools/bench/engine_host.h"
#include "tools/bench/window.h"

namespace smsflow::bench {
namespace {

constexpr std::uint32_t kCredit = 100'000;
constexpr std::int64_t kAheadSeconds = 30 * 24 * 3600;  // of SMSes that are only scheduled

// Reports SENT and DELIVERED at once, from a thread of its own.
class InstantGateway : public engine::PeerLink {
 public:
  explicit InstantGateway(Window& window) : window_(window) {}
  ~InstantGateway() override { Stop(); }

  void Start(std::unique_ptr<engine::PeerSession> session) {
    session_ = std::move(session);
    session_->AddCredit(kCredit);
    thread_ = std::thread([this] { Loop(); });
  }
  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    session_.reset();
  }
  double cpu_s() const { return cpu_s_.load(std::memory_order_relaxed); }

  void Send(std::vector<engine::Lease> leases) override {
    {
      const std::lock_guard lock(mutex_);
      for (const engine::Lease& lease : leases) attempts_.push_back(lease.attempt);
    }
    wake_.notify_one();
  }
  void Send(std::vector<engine::Probe>) override {}
  void Close(const absl::Status&) override {}

 private:
  void Loop() {
    using workflows::delivery::Reported;
    while (true) {
      std::vector<AttemptId> attempts;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !attempts_.empty(); });
        if (stopping_) return;
        attempts.swap(attempts_);
      }
      for (const AttemptId& attempt : attempts) {
        session_->Report(attempt, ReportOf(attempt, Reported::kSent), [](engine::ReportAnswer) {});
        session_->Report(attempt, ReportOf(attempt, Reported::kDelivered),
                         [this](engine::ReportAnswer) { window_.Leave(); });
      }
      cpu_s_.store(ThreadCpu(), std::memory_order_relaxed);
    }
  }

  Window& window_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<AttemptId> attempts_;
  bool stopping_ = false;
  std::atomic<double> cpu_s_{0};
  std::unique_ptr<engine::PeerSession> session_;
  std::thread thread_;
};

class InProcessImpl : public InProcess {
 public:
  InProcessImpl(Profile profile, Extent extent, std::uint32_t in_flight)
      : extent_(extent), source_(profile, 0), window_(in_flight), gateway_(std::make_shared<InstantGateway>(window_)) {}
  ~InProcessImpl() override {
    gateway_->Stop();
    if (engine_) engine_->Stop();
  }

  absl::Status Open(const std::string& folder, std::uint16_t partitions) {
    storage::DataFolderOptions options;
    options.path = folder;
    options.now_ms = engine::SystemClock().WallMs();
    options.ballast_bytes = 0;
    auto data = storage::DataFolder::Open(options);
    if (!data.ok()) return data.status();
    data_ = std::move(*data);

    engine::EngineParts parts = host_.Parts(engine::SystemClock(), engine::SystemRandom());
    parts.store = &data_->store();
    parts.index_keys = &data_->index_keys();
    parts.high_water = &data_->high_water();
    engine::EngineOptions engine_options;
    engine_options.partitions = partitions;
    auto engine = engine::Engine::Open(engine_options, std::move(parts));
    if (!engine.ok()) return engine.status();
    engine_ = std::move(*engine);
    engine_->Start();
    auto session = engine_->Attach(BenchHello(), gateway_);
    if (!session.ok()) return session.status();
    gateway_->Start(std::move(*session));
    return absl::OkStatus();
  }

  Slice Run(double seconds) override {
    const double cpu = ProcessCpu() - ThreadCpu() - gateway_->cpu_s(), begun = Now();
    const std::uint64_t before = window_.over();
    while (Now() - begun < seconds) {
      window_.AwaitBelow(window_.size());
      const std::int64_t now_s = engine::SystemClock().WallMs() / 1000;
      window_.Enter();
      engine_->Create(ToRequest(source_.Next(extent_ == Extent::kLives ? now_s - 1 : now_s + kAheadSeconds)),
                      [this](engine::Answer answer) {
                        if (extent_ == Extent::kSchedules || !answer.status.ok()) window_.Leave();
                      });
    }
    window_.AwaitBelow(1);
    Slice slice;
    slice.seconds = Now() - begun;
    slice.count = window_.over() - before;
    slice.cpu_s = ProcessCpu() - ThreadCpu() - gateway_->cpu_s() - cpu;
    return slice;
  }

  engine::Figures figures() const override { return engine_->TakeFigures(); }

 private:
  const Extent extent_;
  SmsSource source_;
  Window window_;
  EngineHost host_;
  std::unique_ptr<storage::DataFolder> data_;
  std::shared_ptr<InstantGateway> gateway_;
  std::unique_ptr<engine::Engine> engine_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<InProcess>> OpenInProcess(const std::string& folder, Profile profile, Extent extent,
                                                         std::uint32_t in_flight, std::uint16_t partitions) {
  auto part = std::make_unique<InProcessImpl>(profile, extent, in_flight);
  if (absl::Status status = part->Open(folder, partitions); !status.ok()) return status;
  return part;
}

}  // namespace smsflow::bench
