// What is decided while the clocks disagree: nothing may end that could still be in time by one of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "tests/engine/world.h"
#include "workflows/delivery/codec/codec.h"
#include "workflows/delivery/delivery.h"

namespace smsflow::sim {
namespace {

namespace delivery = workflows::delivery;
constexpr std::int64_t kDayMs = 86'400'000;

class Clocks : public ::testing::Test {
 protected:
  Clocks() {
    world_.workflow = delivery::MakeDeliveryWorkflow();
    delivery::Policy policy;
    policy.max_jitter_ms = 0;
    world_.policy.bytes = delivery::EncodePolicy(policy);
    world_.Open();
  }
  // A slot that begins in `in_s` of the true time and lasts an hour.
  InstanceId Schedule(std::int64_t in_s) {
    const std::int64_t begin_s = true_ms() / 1000 + in_s;
    delivery::Schedule schedule;
    schedule.fixed.slots = {{begin_s, begin_s + 3'600}};
    engine::CreateRequest request;
    request.workflow = delivery::kWorkflowNumber;
    request.tenant = "t";
    request.payload = "sealed";
    request.event = delivery::EncodeSchedule(schedule);
    InstanceId id;
    world_.engine->Create(std::move(request), [&](const engine::Answer& answer) {
      EXPECT_TRUE(answer.status.ok()) << answer.status;
      id = answer.id;
    });
    world_.Run();
    return id;
  }
  delivery::State StateOf(const InstanceId& id) { return static_cast<delivery::State>(world_.StateNumber(id)); }
  std::int64_t true_ms() const { return world_.clock.wall_ms - wrong_ms_; }
  void Jump(std::int64_t by_ms) {
    wrong_ms_ += by_ms;
    world_.clock.wall_ms += by_ms;
    world_.Run();
  }

  engine::World world_;
  std::shared_ptr<engine::Inbox> inbox_;
  std::int64_t wrong_ms_ = 0;
};

TEST_F(Clocks, ASlotThatIsToComeIsNotOverBecauseTheWallClockSaysSo) {
  for (const std::int64_t wrong_ms : {kDayMs, -kDayMs}) {
    auto session = world_.Attach("g", "s", {"t"}, 10, inbox_);
    world_.AdvanceAndRun(1'000);
    Jump(wrong_ms);
    ASSERT_TRUE(world_.engine->TakeFigures().clock_guard);
    const InstanceId id = Schedule(1'800);
    EXPECT_EQ(StateOf(id), delivery::State::kPending) << wrong_ms;
    const std::size_t before = inbox_->leases.size();
    world_.AdvanceAndRun(1'200'000, 60'000);
    Jump(-wrong_ms);
    world_.AdvanceAndRun(60'000);
    EXPECT_EQ(inbox_->leases.size(), before);
    EXPECT_EQ(StateOf(id), delivery::State::kPending) << wrong_ms;
    world_.AdvanceAndRun(600'000, 10'000);
    EXPECT_EQ(StateOf(id), delivery::State::kInSlot) << wrong_ms;
    EXPECT_EQ(inbox_->leases.size(), before + 1);
    session.reset();
  }
}

TEST_F(Clocks, AFailureIsTriedAgainInItsSlotThoughTheWallClockSaysThatItIsOver) {
  auto session = world_.Attach("g", "s", {"t"}, 10, inbox_);
  const InstanceId id = Schedule(0);
  world_.AdvanceAndRun(1'000);
  ASSERT_EQ(inbox_->leases.size(), 1U);
  Jump(kDayMs);
  engine::ReportOutcome outcome{};
  session->Report(inbox_->leases[0].attempt,
                  delivery::EncodeReport({1, delivery::Reported::kFailedTransient, {}, "", 0}),
                  [&](const engine::ReportAnswer& answer) { outcome = answer.outcome; });
  world_.Run();
  EXPECT_EQ(outcome, engine::ReportOutcome::kApplied);
  EXPECT_EQ(StateOf(id), delivery::State::kPending);
  Jump(-kDayMs);
  world_.AdvanceAndRun(1'800'000, 10'000);
  EXPECT_EQ(inbox_->leases.size(), 2U);
}

// A machine that starts with its clock a day behind, and whose time daemon puts it right a moment later.
TEST_F(Clocks, AStartByAClockThatIsBehindWaitsUntilItIsPutRightAndNoLonger) {
  auto session = world_.Attach("g", "s", {"t"}, 10, inbox_);
  const InstanceId before = Schedule(0), after = Schedule(1'800);
  world_.AdvanceAndRun(3'000);
  ASSERT_EQ(inbox_->leases.size(), 1U);
  session.reset();
  world_.Crash();
  world_.clock.wall_ms -= kDayMs;
  wrong_ms_ = -kDayMs;
  world_.Open();
  session = world_.Attach("g", "s", {"t"}, 10, inbox_);
  world_.AdvanceAndRun(2'400'000, 10'000);  // by the true clock a slot begins
  EXPECT_TRUE(world_.engine->TakeFigures().clock_guard);
  EXPECT_EQ(StateOf(before), delivery::State::kInSlot);
  EXPECT_EQ(StateOf(after), delivery::State::kPending);
  const auto asked_of = [&](const InstanceId& id) {
    return std::count_if(inbox_->leases.begin(), inbox_->leases.end(),
                         [&](const engine::Lease& lease) { return lease.attempt.instance == id; });
  };
  EXPECT_EQ(asked_of(after), 0);
  Jump(kDayMs);
  world_.AdvanceAndRun(1'000);
  EXPECT_FALSE(world_.engine->TakeFigures().clock_guard);
  EXPECT_EQ(StateOf(after), delivery::State::kInSlot);
  EXPECT_EQ(asked_of(after), 1);
}

// The wall clock was wrong before and is right now: what looked open by the clock of before ends when that is said.
TEST_F(Clocks, WhatIsReallyOverEndsOnceTheClockIsTrusted) {
  world_.AdvanceAndRun(1'000);
  const std::int64_t begin_s = world_.clock.wall_ms / 1000;
  Jump(kDayMs);
  wrong_ms_ = kDayMs;
  const InstanceId id = Schedule(0);
  EXPECT_EQ(StateOf(id), delivery::State::kPending) << begin_s;
  world_.engine->TrustClock();
  world_.AdvanceAndRun(1'000);
  EXPECT_EQ(StateOf(id), delivery::State::kExpired);
}

}  // namespace
}  // namespace smsflow::sim
