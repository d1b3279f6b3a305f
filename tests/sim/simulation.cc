#include "tests/sim/simulation.h"

#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>

#include "storage/journal.h"
#include "storage/records.h"
#include "tests/engine/world.h"
#include "tests/sim/model_gateway.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::sim {
namespace {

namespace delivery = workflows::delivery;

constexpr std::int64_t kMinuteMs = 60'000;

struct Acknowledged {
  std::string tenant;
  std::string target;
  std::string dedupe_key;
  bool canceled_in_time = false;
  delivery::Slots slots;
};

class Simulation {
 public:
  explicit Simulation(const RunOptions& run) : random_(run.seed), world_(Options(run), run.seed) {
    world_.workflow = delivery::MakeDeliveryWorkflow();
    delivery::Policy policy;
    policy.wait_after_fail_ms = 2 * kMinuteMs;
    policy.ack_send_timeout_ms = 4 * kMinuteMs;
    policy.ack_receipt_timeout_ms = 20 * kMinuteMs;
    policy.max_jitter_ms = Pick(2) * 30'000;
    policy.probe_ms = kMinuteMs / 2;
    world_.policy.bytes = delivery::EncodePolicy(policy);
    world_.Open();
    gateways_.emplace_back("g1", std::vector<std::string>{"a", "b"}, truth_, random_);
    gateways_.emplace_back("g2", std::vector<std::string>{"b"}, truth_, random_);
    for (int& weight : faults_) weight = Pick(2) == 0 ? 0 : 1 + Pick(6);
  }

  RunReport Go(int steps) {
    for (int i = 0; i < steps && report_.violations.empty(); ++i) Step();
    if (report_.violations.empty()) Quiet();
    for (const std::string& violation : truth_.violations) report_.violations.push_back(violation);
    if (!report_.violations.empty()) report_.journal = world_.Journal();
    for (const auto& [attempt, count] : truth_.submits) report_.submits += static_cast<std::uint64_t>(count);
    return report_;
  }

 private:
  static engine::EngineOptions Options(const RunOptions& run) {
    const std::uint64_t seed = run.seed;
    engine::EngineOptions options;
    options.sync = run.sync;
    options.partitions = static_cast<std::uint16_t>(1 + seed % 2);
    options.cache_bytes = seed % 3 == 0 ? 4'096 : 1 << 20;
    options.batch_max = seed % 5 == 0 ? 3 : 256;
    return options;
  }
  int Pick(int below) { return static_cast<int>(random_() % static_cast<std::uint64_t>(below)); }
  void Trace(std::uint64_t what) { report_.trace_hash = (report_.trace_hash ^ what) * 1'099'511'628'211ULL; }
  void Violated(const std::string& what) { report_.violations.push_back(what); }

  void Step() {
    // An engine that was cut down in the middle of a write is started again at the next step.
    try {
      const int what = Pick(100);
      Trace(static_cast<std::uint64_t>(what));
      if (what < 22) Schedule();
      else if (what < 52) MoveTime();
      else if (what < 80) StepGateway();
      else if (what < 84) Cancel();
      else if (what < 87) Block();
      else if (what < 89) Reschedule();
      else if (what < 91) TogglePause();
      else Fault();
      world_.Run(100'000);
    } catch (const engine::WatchedStore::PowerCut&) {
      Restart();
    } catch (const engine::Fatal&) {
      Violated("the engine ended itself: " + world_.fatal);
    }
  }

  void Schedule() {
    delivery::Schedule schedule;
    const std::int64_t now_s = world_.clock.wall_ms / 1000;
    const std::int64_t from_s = now_s - 60 + Pick(600);
    schedule.fixed.slots = {{from_s, from_s + 30 + Pick(600)}};
    if (Pick(2) == 0) schedule.fixed.slots.push_back({from_s + 900, from_s + 1'000 + Pick(600)});
    schedule.fixed.batch = "batch" + std::to_string(Pick(3));
    engine::CreateRequest request;
    request.workflow = delivery::kWorkflowNumber;
    request.tenant = std::string(1, static_cast<char>('a' + Pick(3)));
    request.target = "target" + std::to_string(Pick(8));
    request.dedupe_key = "key" + std::to_string(next_key_++);
    request.fingerprint = std::string(16, 'f');
    request.payload = "sealed";
    request.event = delivery::EncodeSchedule(schedule);
    Acknowledged meant{request.tenant, request.target, request.dedupe_key, false, schedule.fixed.slots};
    world_.engine->Create(std::move(request), [this, meant = std::move(meant)](engine::Answer answer) {
      if (!answer.status.ok()) return;
      ++report_.scheduled;
      acknowledged_.emplace(answer.id, meant);
    });
  }

  void MoveTime() {
    world_.Advance(Pick(4) == 0 ? Pick(5 * 60'000) : Pick(5'000));
    if (Pick(60) == 0) world_.clock.wall_ms -= Pick(2'000);  // a small step back
  }

  void StepGateway() {
    ModelGateway& gateway = gateways_[static_cast<std::size_t>(Pick(static_cast<int>(gateways_.size())))];
    if (!gateway.attached()) gateway.Attach(*world_.engine);
    for (int i = Pick(6); i >= 0; --i) gateway.Step(world_.clock.wall_ms);
  }

  void Cancel() {
    if (acknowledged_.empty()) return;
    auto it = std::next(acknowledged_.begin(), Pick(static_cast<int>(acknowledged_.size())));
    if (Pick(4) == 0) {
      engine::SweepRequest sweep;
      sweep.workflow = delivery::kWorkflowNumber;
      sweep.tenant = it->second.tenant;
      sweep.index = delivery::kBatchIndex;
      sweep.value = "batch" + std::to_string(Pick(3));
      sweep.event = delivery::EncodeCancel();
      world_.engine->Sweep(std::move(sweep), [](const engine::SweepAnswer&) {});
      return;
    }
    const InstanceId id = it->first;
    world_.engine->Send({id, it->second.tenant, "sim", delivery::EncodeCancel(), std::nullopt},
                        [this, id](const engine::Answer& answer) {
                          if (answer.outcome == static_cast<std::uint16_t>(delivery::Outcome::kCanceled))
                            acknowledged_[id].canceled_in_time = true;
                        });
  }

  void Block() {
    engine::SweepRequest block;
    block.workflow = delivery::kWorkflowNumber;
    block.tenant = std::string(1, static_cast<char>('a' + Pick(3)));
    block.target = "target" + std::to_string(Pick(8));
    block.index = delivery::kTargetIndex;
    block.value = *block.target;
    block.event = delivery::EncodeBlock();
    block.membership = workflows::MembershipChange{delivery::kBlockedSet, Pick(2) == 0};
    block.sweep = block.membership->member;
    world_.engine->Sweep(std::move(block), [](const engine::SweepAnswer&) {});
  }

  void Reschedule() {
    if (acknowledged_.empty()) return;
    auto it = std::next(acknowledged_.begin(), Pick(static_cast<int>(acknowledged_.size())));
    const std::int64_t from_s = world_.clock.wall_ms / 1000 + Pick(300);
    delivery::Reschedule change;
    change.slots = delivery::Slots{{from_s, from_s + 60 + Pick(300)}};
    world_.engine->Send({it->first, it->second.tenant, "sim", delivery::EncodeReschedule(change), std::nullopt},
                        [](const engine::Answer&) {});
  }

  void TogglePause() {
    engine::PauseRequest pause;
    const int scope = Pick(3);
    pause.scope = scope == 0 ? storage::PauseScope::kAll
                             : scope == 1 ? storage::PauseScope::kTenant : storage::PauseScope::kGateway;
    if (scope == 1) pause.tenant = "b";
    if (scope == 2) pause.value = "g1";
    pause.resume = Pick(2) == 0;
    world_.engine->Pause(std::move(pause), [](const absl::Status&, bool) {});
  }

  void Fault() {
    const int kind = Pick(5);
    if (Pick(10) >= faults_[kind]) return;
    Trace(static_cast<std::uint64_t>(1'000 + kind));
    ModelGateway& gateway = gateways_[static_cast<std::size_t>(Pick(static_cast<int>(gateways_.size())))];
    switch (kind) {
      case 0: gateway.CutLink(); break;
      case 1: gateway.Die(); break;
      case 2:
        if (Pick(4) == 0) gateway.LoseStore();
        break;
      case 3: Restart(); break;
      case 4:
        world_.store->power_cut_at = world_.store->writes + 1 + Pick(4);
        world_.store->after_write = Pick(2) == 0;
        break;
    }
  }

  void Restart() {
    ++report_.crashes;
    for (ModelGateway& gateway : gateways_) gateway.CutLink();
    world_.Crash();
    world_.Open();
    for (const auto& [id, meant] : acknowledged_)
      if (!world_.StateOf(id)) Violated("I9: " + id.ToString() + " was acknowledged and is gone");
    if (const std::string wrong = world_.Violations(); !wrong.empty()) Violated(wrong);
  }

  // All is mended, time passes, and everything ends.
  void Quiet() {
    Restart();
    world_.clock.wall_ms += 3'000;  // beyond every small step back
    for (const auto& [scope, tenant, value] :
         {std::tuple{storage::PauseScope::kAll, "", ""}, std::tuple{storage::PauseScope::kTenant, "b", ""},
          std::tuple{storage::PauseScope::kGateway, "", "g1"}}) {
      engine::PauseRequest resume;
      resume.scope = scope;
      resume.tenant = tenant;
      resume.value = value;
      resume.resume = true;
      world_.engine->Pause(std::move(resume), [](const absl::Status&, bool) {});
    }
    for (ModelGateway& gateway : gateways_) {
      gateway.faithful = true;
      gateway.Attach(*world_.engine);
    }
    try {
      for (int minute = 0; minute < 120; ++minute) {
        for (int burst = 0; burst < 20; ++burst) {
          world_.Run(100'000);
          for (ModelGateway& gateway : gateways_)
            while (gateway.Step(world_.clock.wall_ms)) {
            }
        }
        world_.Advance(kMinuteMs / 2);
      }
      world_.Run(100'000);
    } catch (const engine::Fatal&) {
      return Violated("the engine ended itself: " + world_.fatal);
    }
    if (const std::string wrong = world_.Violations(); !wrong.empty()) Violated(wrong);
    for (const auto& [id, meant] : acknowledged_) CheckEnd(id, meant);
    const engine::Figures figures = world_.engine->TakeFigures();
    if (figures.open_leases != 0) Violated("I19: " + std::to_string(figures.open_leases) + " leases never ended");
    if (figures.credit != 8) Violated("credit leaked: " + std::to_string(figures.credit) + " of 8 are left");
  }

  void CheckEnd(const InstanceId& id, const Acknowledged& meant) {
    const auto state = world_.StateOf(id);
    if (!state) return Violated("I9: " + id.ToString() + " is gone");
    const auto number = static_cast<delivery::State>(state->state());
    const std::string name(delivery::NameOf(number));
    if (!delivery::IsOverForUser(number)) Violated("I19: " + id.ToString() + " never ended, it is " + name);
    const auto copies = truth_.copies.find(id);
    const int count = copies == truth_.copies.end() ? 0 : copies->second;
    if (count > 1) Violated("I8: " + std::to_string(count) + " copies of " + id.ToString());
    if (number == delivery::State::kDelivered && count == 0) Violated("I6: " + id.ToString() + " was never delivered");
    if (meant.canceled_in_time && count != 0) Violated("canceled, and sent: " + id.ToString());
    if (number == delivery::State::kDelivered) ++report_.delivered;
  }

  std::mt19937_64 random_;
  engine::World world_;
  GroundTruth truth_;
  std::vector<ModelGateway> gateways_;
  std::map<InstanceId, Acknowledged> acknowledged_;
  int faults_[5] = {};
  int next_key_ = 0;
  RunReport report_;
};

}  // namespace

RunReport RunSeed(const RunOptions& options) { return Simulation(options).Go(options.steps); }

}  // namespace smsflow::sim
