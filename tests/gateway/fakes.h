// Stand-ins for what a gateway's parts meet: a clock that stands still, a link and a carrier that only note.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/seams.h"
#include "gateway/carrier.h"
#include "gateway/link.h"
#include "gateway/room.h"

namespace smsflow::gateway {

inline constexpr std::int64_t kNow = 1'800'000'000'000;
inline constexpr std::int64_t kHour = 3'600'000;

class FakeClock : public engine::Clock {
 public:
  std::int64_t WallMs() const override { return now_ms + jump_ms; }
  std::int64_t SteadyMs() const override { return now_ms; }
  std::int64_t now_ms = kNow;
  std::int64_t jump_ms = 0;  // of the wall clock
};

class FakeLink : public Link {
 public:
  void Start(LinkEvents&) override {}
  void Report(std::vector<gateway::Report> more) override {
    for (auto& report : more) reports.push_back(std::move(report));
  }
  void Kept(const std::vector<AttemptId>& attempts) override {
    kept.insert(kept.end(), attempts.begin(), attempts.end());
    if (!reports.empty()) told_before_kept = true;
  }
  void Stop() override {}
  std::vector<gateway::Report> Take() { return std::exchange(reports, {}); }
  std::vector<gateway::Report> reports;
  std::vector<AttemptId> kept;
  bool told_before_kept = false;
};

class FakeCarrier : public Carrier {
 public:
  void Start(CarrierEvents&) override {}
  bool Take(const engine::Lease& lease, const Route* route) override {
    if (route != nullptr) routes.push_back(route->name);
    if (places == 0 || lease.tenant == away) return false;
    --places;
    return true;
  }
  bool IsAway(const engine::Lease& lease, const Route*) override { return lease.tenant == away; }
  void Submit(std::vector<engine::Lease> more) override {
    for (auto& lease : more) submitted.push_back(std::move(lease));
  }
  void Acknowledge(const std::vector<Handle>& handles) override {
    for (const Handle& handle : handles) acknowledged.push_back(handle.key);
  }
  void Stop() override {}
  std::vector<engine::Lease> submitted;
  std::vector<std::uint64_t> acknowledged;
  std::vector<std::string> routes;  // of those that asked for a place
  std::size_t places = 1'000'000;
  std::string away;  // whose SMSC is
};

class FakeRoom : public Room {
 public:
  bool Low() override { return low; }
  bool low = false;
};

inline AttemptId Attempt(std::uint64_t n, std::uint32_t number = 1) {
  return {InstanceId::Make(kNow, ShardId{static_cast<std::uint16_t>(n % 4)}, n), number};
}

inline engine::Lease LeaseOf(const AttemptId& attempt, std::int64_t deadline_ms = kNow + kHour) {
  engine::Lease lease;
  lease.attempt = attempt;
  lease.tenant = "clinic";
  lease.client_key = "k1";
  lease.deadline_ms = deadline_ms;
  lease.mark = {attempt.instance.shard(), 1, 1};
  return lease;
}

// "DELIVERED requested", …, to compare whole lists at once.
inline std::string Told(const std::vector<Report>& reports) {
  std::string all;
  for (const Report& report : reports) {
    if (!all.empty()) all += ", ";
    all += workflows::delivery::NameOf(report.result);
    if (!report.cause.empty()) all += " " + report.cause;
  }
  return all;
}

}  // namespace smsflow::gateway
