// What goes wrong in a run, and how it is mended.
#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/sim/pair/pair.h"

namespace smsflow::sim {
namespace {

constexpr std::int64_t kMinute = 60'000;

PairRows RowsOf(const storage::Store& store) {
  PairRows rows;
  for (int family = 0; family < storage::kFamilies; ++family) {
    const auto cursor = store.Scan(static_cast<storage::Family>(family), "", std::string(60, '\xff'), false);
    for (; cursor->Valid(); cursor->Next()) rows.emplace_back(family, cursor->key(), cursor->value());
  }
  return rows;
}

void Replace(storage::Store& store, const PairRows& rows) {
  storage::Batch batch;
  for (const auto& [family, key, value] : RowsOf(store)) batch.Delete(static_cast<storage::Family>(family), key);
  for (const auto& [family, key, value] : rows) batch.Put(static_cast<storage::Family>(family), key, value);
  (void)store.Write(batch, storage::Sync::kYes);
}

}  // namespace

void PairRun::OpenEngine() {
  engine_disk_.errors = engine_disk_.write_error_in = engine_disk_.read_error_in = 0;
  engine_clock_.skew_ms = 0;  // whoever starts a machine sets its clock
  try {
    if (const absl::Status status = world_.TryOpen(); !status.ok())
      return Violated("the engine does not start: " + status.ToString());
    world_.engine->RunOnce();  // it has seen this clock, and can tell when it jumps
  } catch (const engine::Fatal&) {
    return Violated("the engine ended itself when it was started: " + world_.fatal);
  }
  link_.EngineStarted(*world_.engine);
}

void PairRun::StartEngine() {
  Trace("the engine is started");
  OpenEngine();
}

void PairRun::KillEngine() {
  Trace("the engine is gone");
  Met("the engine is killed");
  link_.EngineGone();
  world_.engine.reset();
  world_.wrapped.reset();
  world_.memory.Crash(static_cast<std::size_t>(random_() % (world_.memory.unsynced() + 1)));
  if (Chance(30)) Inspect();
}

void PairRun::StartGateway() {
  Trace("the gateway is started");
  gateway_clock_.skew_ms = 0;
  for (int again = 0; again < 5; ++again) {
    gateway_disk_.errors = gateway_disk_.write_error_in = gateway_disk_.read_error_in = 0;
    gateway_ = std::make_unique<GatewayProcess>(*parts_);
    try {
      const absl::Status status = gateway_->Start();
      if (status.ok()) return;
      Violated("the gateway does not start: " + status.ToString());
    } catch (const engine::Fatal&) {
    }
    link_.GatewayGone();
    gateway_.reset();
    gateway_memory_->Crash(0);
  }
  Violated("the gateway does not come up again");
}

void PairRun::KillGateway() {
  Trace("the gateway is gone");
  Met("the gateway is killed");
  link_.GatewayGone();
  gateway_.reset();
  gateway_memory_->Crash(static_cast<std::size_t>(random_() % (gateway_memory_->unsynced() + 1)));
}

void PairRun::LoseGatewayStore() {
  KillGateway();
  if (lost_ != nullptr && Chance(50)) {
    Trace("a lost store of the gateway is found");
    Met("a lost store of the gateway is found");
    std::swap(gateway_memory_, lost_);
  } else {
    Trace("the gateway's store is lost");
    Met("the gateway's store is lost");
    lost_ = std::exchange(gateway_memory_, std::make_unique<storage::MemoryStore>());
  }
  parts_->memory = gateway_memory_.get();
  StartGateway();
}

// The gateway has seen more of it than the engine knows.
bool PairRun::ShowsMore() const {
  const auto marks = gateway_->store().Marks();
  return std::any_of(marks.begin(), marks.end(), [this](const engine::Mark& mark) {
    return !mark.seal.empty() && mark.sequence > world_.engine->Committed(mark.shard);
  });
}

// Somebody starts a copy of the engine's folder as it once was: it must not take up the work with this gateway.
void PairRun::StartOlderCopy() {
  if (older_.empty() || gateway_ == nullptr || low_) return;
  if (world_.engine != nullptr) KillEngine();
  const PairRows now = RowsOf(world_.memory);
  Replace(world_.memory, older_);
  Trace("an older copy of the engine's folder is started");
  OpenEngine();
  if (world_.engine != nullptr && ShowsMore()) {
    must_stop_ = true;
    const std::uint64_t before = link_.attachments();
    for (int rounds = 0; rounds < 300 && world_.engine != nullptr && link_.attachments() == before; ++rounds) {
      Engine([this] { link_.Step(); });
      Engine([this] {
        if (world_.engine != nullptr) world_.engine->RunOnce();
      });
    }
    must_stop_ = false;
    if (world_.engine != nullptr) Violated("P10: an engine that has lost what its gateway saw goes on");
    Met("an older copy of the engine's folder stops");
  }
  if (world_.engine != nullptr) KillEngine();
  Replace(world_.memory, now);
  StartEngine();
}

void PairRun::JumpClock() {
  const std::int64_t which = Below(3);
  const std::int64_t sign = Chance(50) ? 1 : -1;
  const std::int64_t by_ms = sign * (6 * kMinute + Below(180 * kMinute));
  for (SkewedClock* const clock : {&engine_clock_, &gateway_clock_}) {
    if (which == (clock == &engine_clock_ ? 1 : 0)) continue;
    clock->skew_ms = clock->skew_ms == 0 ? by_ms : 0;
    const std::string whose = clock == &engine_clock_ ? "the engine's clock " : "the gateway's clock ";
    Trace(absl::StrCat(whose, "is off by ", clock->skew_ms, " ms"));
    Met(whose + (clock->skew_ms == 0 ? "is put right" : "jumps"));
  }
}

void PairRun::BreakDisk() {
  const bool engines = Chance(50);
  Disk& disk = engines ? engine_disk_ : gateway_disk_;
  Trace(engines ? "the engine's disk will fail" : "the gateway's disk will fail");
  if (Chance(70)) {
    disk.write_error_in = static_cast<int>(1 + Below(4));
    disk.write_happens = Chance(50);
  } else {
    disk.read_error_in = static_cast<int>(1 + Below(20));
  }
}

void PairRun::MakeSlow() {
  const bool engines = Chance(50);
  Trace(engines ? "a slow write of the engine" : "a slow write of the gateway");
  Met("a slow write");
  (engines ? engine_disk_ : gateway_disk_).slow_ms = 1 + Below(5'000);
}

void PairRun::EngineDies() {
  if (world_.engine == nullptr) return StartEngine();
  KillEngine();
  if (Chance(60)) StartEngine();
}

void PairRun::GatewayDies() {
  if (gateway_ == nullptr) return StartGateway();
  KillGateway();
  if (Chance(60)) StartGateway();
}

void PairRun::CutLink() {
  Trace("the link is cut");
  Met("the link is cut");
  link_.Cut();
}

void PairRun::CutSmsc() {
  Trace("the connections to the SMSC are cut");
  Met("the connections to the SMSC are cut");
  site_.Cut();
}

void PairRun::TurnSmsc() {
  smsc_down_ = !smsc_down_;
  Trace(smsc_down_ ? "the SMSC is down" : "the SMSC is up");
  Met("the SMSC is down or up");
  site_.SetDown(smsc_down_);
}

void PairRun::FillDisk() {
  low_ = !low_;
  Met("the gateway's disk is nearly full, or has room");
  Trace(low_ ? "the gateway's disk is nearly full" : "the gateway's disk has room");
}

// Once one is there, it is started.
void PairRun::CopyEngine() {
  if (!older_.empty()) return StartOlderCopy();
  if (world_.engine != nullptr) older_ = RowsOf(world_.memory);
}

void PairRun::Outage() {
  const std::int64_t ms = kMinute + Below(15 * kMinute);
  if (Chance(50)) KillEngine();
  Trace(absl::StrCat("nothing is done for ", ms, " ms"));
  Met("an outage");
  world_.clock.Advance(ms);
  if (world_.engine == nullptr) StartEngine();
}

const std::vector<FaultKind<PairRun>>& PairRun::Faults() {
  static const std::vector<FaultKind<PairRun>> faults = {
      {"the engine is killed", 6, &PairRun::EngineDies},
      {"the gateway is killed", 6, &PairRun::GatewayDies},
      {"the link is cut", 4, &PairRun::CutLink},
      {"the connections to the SMSC are cut", 2, &PairRun::CutSmsc},
      {"the SMSC is down", 2, &PairRun::TurnSmsc},
      {"a disk fails", 2, &PairRun::BreakDisk},
      {"a write takes long", 2, &PairRun::MakeSlow},
      {"the gateway's disk is nearly full", 2, &PairRun::FillDisk},
      {"a clock jumps", 2, &PairRun::JumpClock},
      {"the gateway's store is lost", 1, &PairRun::LoseGatewayStore},
      {"an older copy of the engine's folder is started", 2, &PairRun::CopyEngine},
      {"an outage", 2, &PairRun::Outage}};
  return faults;
}

void PairRun::Disturb() {
  const auto& fault = OneOf(Faults(), random_);
  if (!options_.played.without.contains(fault.name)) (this->*fault.make)();
}

void PairRun::Mend() {
  Trace("all is mended");
  for (Disk* const disk : {&engine_disk_, &gateway_disk_})
    disk->write_error_in = disk->read_error_in = disk->slow_ms = 0;
  engine_clock_.skew_ms = gateway_clock_.skew_ms = 0;
  low_ = smsc_down_ = false;
  site_.SetDown(false);
  site_.TellWhole();
  if (world_.engine != nullptr && Chance(30)) KillEngine();
  if (world_.engine == nullptr) StartEngine();
  if (gateway_ == nullptr) StartGateway();
  link_.Mend();
  link_.Cut();  // what was lost on its way is said again at the next attachment
  if (world_.engine == nullptr) return;
  for (const auto scope : {storage::PauseScope::kAll, storage::PauseScope::kTenant, storage::PauseScope::kGateway}) {
    engine::PauseRequest resume;
    resume.scope = scope;
    if (scope == storage::PauseScope::kTenant) resume.tenant = "t";
    if (scope == storage::PauseScope::kGateway) resume.value = "g1";
    resume.resume = true;
    Resumed({scope, resume.tenant});
    world_.engine->Pause(std::move(resume), [](const absl::Status&, bool) {});
  }
}

}  // namespace smsflow::sim
