#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "engine/seams.h"
#include "smsflow/v1/scheduler.grpc.pb.h"
#include "tools/bench/instant_gateway.h"
#include "tools/bench/load.h"
#include "tools/bench/pending.h"
#include "tools/bench/scratch.h"
#include "tools/bench/server_process.h"

namespace smsflow::bench {
namespace {

constexpr std::uint64_t kUsual = 1'000'000;
constexpr std::uint64_t kOverdueShare = 5;  // one in so many is overdue after the restart
constexpr double kOverdueBySeconds = 62;    // beyond a minute the budget rules
constexpr std::uint32_t kBudget = 1'000;
constexpr std::uint32_t kOnTimeLane = 90;
constexpr double kUnderLoadSeconds = 2;

// Schedules one SMS after the other, each due in two seconds, and sees when each is leased; all others that are leased
// are the overdue ones, counted by the second.
class Watcher {
 public:
  explicit Watcher(const std::string& address)
      : source_(Profile::kBare, kOnTimeLane),
        stub_(v1::Scheduler::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))) {}
  ~Watcher() { Stop(); }

  // Seconds since some moment at which the first Schedule was acknowledged; tries until then.
  double FirstAnswer() {
    while (!ScheduleOne()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return Now();
  }
  void Start() {
    thread_ = std::thread([this] {
      while (!stopping_) {
        ScheduleOne();
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    });
  }
  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  void Leased(const std::vector<AttemptId>& attempts) {
    const std::int64_t now_ms = engine::SystemClock().WallMs();
    const std::lock_guard lock(mutex_);
    for (const AttemptId& attempt : attempts) {
      if (const auto it = due_ms_.find(attempt.instance); it != due_ms_.end()) {
        late_ms_.push_back(static_cast<double>(now_ms - it->second));
        due_ms_.erase(it);
      } else {
        ++overdue_by_second_[now_ms / 1000];
      }
    }
  }
  std::uint64_t overdue() const {
    const std::lock_guard lock(mutex_);
    std::uint64_t sum = 0;
    for (const auto& [second, count] : overdue_by_second_) sum += count;
    return sum;
  }
  std::uint64_t most_in_a_second() const {
    const std::lock_guard lock(mutex_);
    std::uint64_t most = 0;
    for (const auto& [second, count] : overdue_by_second_) most = std::max(most, count);
    return most;
  }
  std::vector<double> TakeLateness() {
    const std::lock_guard lock(mutex_);
    return std::exchange(late_ms_, {});
  }

 private:
  bool ScheduleOne() {
    const Sms sms = source_.Next(engine::SystemClock().WallMs() / 1000 + 2);
    v1::ScheduleRequest request;
    request.set_target(sms.target);
    request.set_schedule(std::to_string(sms.from_s) + "-" + std::to_string(sms.till_s));
    request.set_payload(sms.payload.data(), sms.payload.size());
    v1::ScheduleResponse response;
    grpc::ClientContext context;
    context.AddMetadata("authorization", std::string("Bearer ") + ServerProcess::client_token());
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    // Its lease may not come before this thread knows of it: it is due in two seconds.
    if (!stub_->Schedule(&context, request, &response).ok()) return false;
    const auto id = InstanceId::FromBytes(response.id());
    if (!id) return false;
    const std::lock_guard lock(mutex_);
    due_ms_[*id] = response.due_ms();
    return true;
  }

  SmsSource source_;
  std::unique_ptr<v1::Scheduler::Stub> stub_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::map<InstanceId, std::int64_t> due_ms_;
  std::map<std::int64_t, std::uint64_t> overdue_by_second_;
  std::vector<double> late_ms_;
  std::thread thread_;
};

// All that is to wait, and then kill -9 with a loop still loading. Tells the second at which some of it fell due.
absl::StatusOr<std::int64_t> LoadAndKill(const Options& options, const std::string& folder, std::uint64_t count) {
  auto server = ServerProcess::Start({folder, options.partitions, kBudget});
  if (!server.ok()) return server.status();
  LoadOptions load{(*server)->address(), Door::kBatch, options.profile};
  load.in_flight = 1'000;
  const auto far = MakeLoad(load);
  const Slice loaded = far->RunCount(count - count / kOverdueShare);
  // The rest is stored before it is due: as fast as those, or half as fast.
  const double took_s = loaded.seconds / (kOverdueShare - 1);
  const std::int64_t due_s = engine::SystemClock().WallMs() / 1000 + static_cast<std::int64_t>(2 * took_s) + 10;
  load.from_s = due_s;
  load.lane = 1;
  const auto soon = MakeLoad(load);
  soon->RunCount(count / kOverdueShare);
  if (far->failures() + soon->failures() > 0) return absl::InternalError("requests failed while loading");
  if (engine::SystemClock().WallMs() / 1000 + 5 >= due_s)
    return absl::DeadlineExceededError("this machine is too busy: not all was stored before it was due");
  std::thread killer([&server] {
    std::this_thread::sleep_for(std::chrono::duration<double>(kUnderLoadSeconds));
    (*server)->Kill();
  });
  far->Run(kUnderLoadSeconds + 1);  // what it asks for after the kill fails, as it must
  killer.join();
  return due_s;
}

}  // namespace

absl::StatusOr<Report> RunRestart(const Options& options) {
  const std::uint64_t count = options.count != 0 ? options.count : kUsual;
  auto scratch = Scratch::Make(options.folder);
  if (!scratch.ok()) return scratch.status();
  const auto due_s = LoadAndKill(options, scratch->path(), count);
  if (!due_s.ok()) return due_s.status();
  const double till_overdue =
      static_cast<double>(*due_s) + kOverdueBySeconds - static_cast<double>(engine::SystemClock().WallMs()) / 1000;
  std::this_thread::sleep_for(std::chrono::duration<double>(std::max(till_overdue, 0.0)));

  auto server = ServerProcess::Start({scratch->path(), options.partitions, kBudget});
  if (!server.ok()) return server.status();
  Watcher watcher((*server)->address());
  double answered_ms = (watcher.FirstAnswer() - (*server)->started()) * 1000;
  const auto gateway = InstantGateway::Attach(
      {(*server)->address(), {}, [&](const std::vector<AttemptId>& attempts) { watcher.Leased(attempts); }});
  watcher.Start();
  const double begun = Now();
  while (watcher.overdue() < count / kOverdueShare && Now() - begun < options.seconds)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  watcher.Stop();
  std::this_thread::sleep_for(std::chrono::seconds(3));  // the last on-time ones

  std::vector<double> late_ms = watcher.TakeLateness();
  Report report;
  report.workload = "restart";
  report.profile = NameOf(options.profile);
  report.count = count;
  report.latency_ms = Quantiles{answered_ms, answered_ms, answered_ms};
  report.lateness_ms = QuantilesOf(late_ms);
  report.rate_per_s = static_cast<double>(watcher.most_in_a_second());
  report.limit_rate_per_s = kBudget;
  report.share = *report.rate_per_s / kBudget;
  report.rss_mb = (*server)->rss_mb();
  std::cerr << "ready after " << (*server)->ready_s() << " s, first answer after " << answered_ms / 1000 << " s; "
            << watcher.overdue() << " overdue left within " << Now() - begun << " s; " << late_ms.size()
            << " on-time ones beside them\n";
  return report;
}

}  // namespace smsflow::bench
