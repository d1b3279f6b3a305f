#include "tools/bench/shape.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "tools/bench/engine_host.h"
#include "tools/bench/watched_store.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::bench {
namespace {

namespace delivery = workflows::delivery;

class CountingRandom : public engine::Random {
 public:
  std::uint64_t Next64() override { return next_ += 0x9E3779B97F4A7C15; }

 private:
  std::uint64_t next_ = 0;
};

class Catcher : public engine::PeerLink {
 public:
  void Send(std::vector<engine::Lease> some) override {
    for (auto& lease : some) leases.push_back(std::move(lease));
  }
  void Send(std::vector<engine::Probe>) override {}
  void Close(const absl::Status&) override {}
  std::vector<engine::Lease> leases;
};

// One SMS after the other, each in rounds of its own.
class Walk {
 public:
  explicit Walk(Profile profile) : source_(profile, 0), store_(clock_), link_(std::make_shared<Catcher>()) {}

  absl::Status Open() {
    engine::EngineParts parts = host_.Parts(clock_, random_);
    parts.store = &store_;
    auto engine = engine::Engine::Open({}, std::move(parts));
    if (!engine.ok()) return engine.status();
    engine_ = std::move(*engine);
    auto session = engine_->Attach(BenchHello(), link_);
    if (!session.ok()) return session.status();
    session_ = std::move(*session);
    session_->AddCredit(10);
    Settle();
    store_.Take();
    return absl::OkStatus();
  }

  BatchShape Schedule() {
    engine_->Create(ToRequest(source_.Next(clock_.now_ms / 1000 + 10)), [](engine::Answer) {});
    return Settle();
  }
  BatchShape LetDue() {
    clock_.now_ms += 20'000;
    return Settle();
  }
  BatchShape Report(std::initializer_list<delivery::Reported> results) {
    for (const delivery::Reported result : results)
      session_->Report(link_->leases.back().attempt, ReportOf(link_->leases.back().attempt, result),
                       [](engine::ReportAnswer) {});
    return Settle();
  }
  std::size_t leases() const { return link_->leases.size(); }
  std::uint64_t delivered() const {
    std::uint64_t sum = 0;
    for (const auto& [key, count] : engine_->TakeFigures().results) sum += key[2] == "DELIVERED" ? count : 0;
    return sum;
  }

 private:
  BatchShape Settle() {
    while (engine_->RunOnce()) {
    }
    return store_.Take();
  }

  SmsSource source_;
  FixedClock clock_;
  CountingRandom random_;
  WatchedStore store_;
  EngineHost host_;
  std::shared_ptr<Catcher> link_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::PeerSession> session_;
};

}  // namespace

absl::StatusOr<SmsShape> FindShape(Profile profile) {
  using delivery::Reported;
  Walk walk(profile);
  if (absl::Status status = walk.Open(); !status.ok()) return status;
  walk.Schedule();  // the first one also stores the policy
  walk.LetDue();
  walk.Report({Reported::kSent, Reported::kDelivered});

  SmsShape shape;
  shape.schedule = walk.Schedule();
  shape.lease = walk.LetDue();
  shape.reports = walk.Report({Reported::kSent, Reported::kDelivered});
  walk.Schedule();
  walk.LetDue();
  shape.sent = walk.Report({Reported::kSent});
  shape.delivered = walk.Report({Reported::kDelivered});
  if (walk.leases() != 3 || walk.delivered() != 3)
    return absl::DataLossError("an SMS was scheduled, leased and reported, and did not end as DELIVERED");
  return shape;
}

std::size_t Operations(const BatchShape& batch) { return batch.size(); }

std::size_t Bytes(const BatchShape& batch) {
  std::size_t bytes = 0;
  for (const RowShape& row : batch) bytes += row.key_bytes + row.value.size();
  return bytes;
}

std::size_t ScheduleOperations(const SmsShape& shape) { return Operations(shape.schedule); }
std::size_t ScheduleBytesBesidePayload(const SmsShape& shape) { return Bytes(shape.schedule) - kPayloadBytes; }
std::size_t LifeOperations(const SmsShape& shape) {
  return Operations(shape.schedule) + Operations(shape.lease) + Operations(shape.sent) + Operations(shape.delivered);
}

}  // namespace smsflow::bench
