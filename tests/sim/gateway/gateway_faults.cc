// What goes wrong in a run.
#include "absl/strings/str_cat.h"
#include "tests/sim/gateway/gateway_life.h"

namespace smsflow::sim {
namespace {

constexpr std::int64_t kMinute = 60'000, kDay = 24 * 60 * kMinute;
constexpr char kReadFails[] = "a read fails";

}  // namespace

const std::vector<FaultKind<GatewayRun>>& GatewayRun::Faults() {
  static const std::vector<FaultKind<GatewayRun>> faults = {
      {"the gateway is killed", 10, &GatewayRun::Crash},
      {"the link to the engine is cut", 5, &GatewayRun::CutLink},
      {"the connections to the SMSC are cut", 10, &GatewayRun::CutSmsc},
      {"the SMSC is down", 5, &GatewayRun::TurnSmsc},
      {"a write fails", 5, &GatewayRun::WriteFails},
      {kReadFails, 5, &GatewayRun::ReadFails},
      {"the store is lost", 4, &GatewayRun::StoreIsLost},
      {"the disk is nearly full", 5, &GatewayRun::DiskFills},
      {"a write takes long", 5, &GatewayRun::SlowWrite},
      {"nine days pass", 1, &GatewayRun::LongTime},
      {"the wall clock jumps", 4, &GatewayRun::ClockJumps}};
  return faults;
}

void GatewayRun::Disturb() {
  const auto& fault = OneOf(Faults(), random_);
  if (!options_.played.without.contains(fault.name)) (this->*fault.make)();
}

// One that cannot read its store ends as well.
void GatewayRun::Start() {
  meters_.clear();
  disk_.errors = 0;
  process_ = std::make_unique<GatewayProcess>(parts_);
  if (const absl::Status status = process_->Start(); !status.ok()) {
    if (disk_.errors == 0) Violation("the gateway does not start: " + std::string(status.message()));
    throw engine::Fatal{};
  }
  if (disk_.errors != 0) Violation("G12: the gateway started with a disk that had failed");
}

void GatewayRun::Kill() {
  ++report_.crashes;
  Trace("the gateway is killed");
  engine_.Gone();
  process_.reset();
  memory_->Crash(static_cast<std::size_t>(random_() % (memory_->unsynced() + 1)));
}

void GatewayRun::ComeUp() {
  for (int again = 0; again < 5; ++again) {
    disk_.write_error_in = disk_.read_error_in = 0;
    if (Chance(10) && !options_.played.without.contains(kReadFails)) ReadFails();
    try {
      Start();
      if (Chance(70)) engine_.Attach();
      return;
    } catch (const engine::Fatal&) {
      Trace("it does not come up");
      process_.reset();
      memory_->Crash(0);
    }
  }
  Violation("the gateway does not come up again");
}

void GatewayRun::Crash() {
  Kill();
  ComeUp();
}

// An empty one takes its place, or one that was lost before and is found again.
void GatewayRun::StoreIsLost() {
  Kill();
  const bool found = lost_ != nullptr && Chance(50);
  Trace(found ? "a store that was lost is found" : "the store is lost");
  if (!found) lost_ = std::make_unique<storage::MemoryStore>();
  std::swap(memory_, lost_);
  parts_.memory = memory_.get();
  for (const auto& [attempt, asked] : engine_.asked()) left_behind_.insert(attempt);
  ComeUp();
}

void GatewayRun::CutLink() {
  if (!engine_.attached()) {
    Trace("the gateway attaches");
    return engine_.Attach();
  }
  ++report_.cuts;
  Trace("the link to the engine is cut");
  engine_.Cut();
}

void GatewayRun::CutSmsc() {
  ++report_.cuts;
  Trace("the connections to the SMSC are cut");
  site_.Cut();
}

void GatewayRun::TurnSmsc() {
  down_ = !down_;
  Trace(down_ ? "the SMSC is down" : "the SMSC is up");
  site_.SetDown(down_);
}

void GatewayRun::WriteFails() {
  disk_.write_error_in = static_cast<int>(1 + Below(4));
  disk_.write_happens = Chance(50);
  Trace("a write will fail");
}

void GatewayRun::ReadFails() {
  disk_.read_error_in = static_cast<int>(1 + Below(20));
  Trace("a read will fail");
}

void GatewayRun::DiskFills() {
  low_ = !low_;
  Trace(low_ ? "the disk is nearly full" : "the disk has room");
}

void GatewayRun::SlowWrite() {
  disk_.slow_ms = 1 + Below(5'000);
  Trace("a slow write");
}

// Once in a while long enough for attempts to be forgotten.
void GatewayRun::LongTime() {
  clock_.Advance(9 * kDay);
  Trace("nine days pass");
}

void GatewayRun::ClockJumps() {
  clock_.wall_ms += Chance(50) ? 10 * kMinute : -10 * kMinute;
  Trace("the wall clock jumps");
}

}  // namespace smsflow::sim
