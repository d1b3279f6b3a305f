// With little credit everybody has a turn: also those of a partition that has to be woken first, and those who have
// waited longer than others that come due just now.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/engine/world.h"

namespace smsflow::engine {
namespace {

class Turns : public ::testing::Test {
 protected:
  Turns() {
    world_.options.partitions = 2;
    world_.Open();
  }
  InstanceId Due(int partition, std::int64_t in_ms = 10, const std::string& tenant = "t") {
    std::string target;
    do {
      target = "target " + std::to_string(targets_++);
    } while (world_.index_keys.Shard(world_.options.shards, tenant, target, "", 0).value % 2 != partition);
    return world_.Create(tenant, target, {world_.clock.wall_ms + in_ms, "", std::nullopt, ""}).id;
  }
  static int PartitionOf(const InstanceId& id) { return id.shard().value % 2; }
  // What the peer has done last; nothing runs yet.
  void ReportLast() {
    session_->Report(inbox_->leases.back().attempt, courier::Simple(courier::kReport, "done"), [](ReportAnswer) {});
  }
  // The first partition goes round and round before the other is awake.
  void RunTheFirstFaster() {
    for (int i = 0; i < 4; ++i) world_.engine->RunPartition(0);
    world_.engine->RunPartition(1);
    for (int i = 0; i < 2; ++i) world_.engine->RunPartition(0);
  }

  World world_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::unique_ptr<PeerSession> session_;
  int targets_ = 0;
};

TEST_F(Turns, APartitionThatAlwaysHasWorkLeavesTheOtherItsShare) {
  for (int i = 0; i < 20; ++i) Due(0);
  for (int i = 0; i < 5; ++i) Due(1);
  world_.AdvanceAndRun(100);
  session_ = world_.Attach("g", "s1", {"t"}, 1, inbox_);
  for (std::size_t i = 1; i <= 12; ++i) {
    ASSERT_EQ(inbox_->leases.size(), i) << "a credit lies idle";
    ReportLast();
    RunTheFirstFaster();
  }
  const auto of_other = std::count_if(inbox_->leases.begin(), inbox_->leases.end(),
                                      [](const Lease& lease) { return PartitionOf(lease.attempt.instance) == 1; });
  EXPECT_EQ(of_other, 5);
}

// Whoever stands in line and does not want it any more stops nobody: it was stopped itself, or may not take.
TEST_F(Turns, CreditThatNobodyTakesGoesOn) {
  for (int i = 0; i < 20; ++i) Due(0);
  const InstanceId stopped = Due(1);
  world_.AdvanceAndRun(100);
  session_ = world_.Attach("g", "s1", {"t"}, 1, inbox_);
  ASSERT_EQ(PartitionOf(inbox_->leases.back().attempt.instance), 0);
  ASSERT_EQ(world_.Send(stopped, courier::Simple(courier::kStop)).outcome, courier::kWasStopped);
  for (std::size_t i = 1; i <= 6; ++i) {
    ASSERT_EQ(inbox_->leases.size(), i);
    ReportLast();
    RunTheFirstFaster();
    RunTheFirstFaster();
  }
}

TEST_F(Turns, WhoeverWaitsGoesBeforeWhatComesDueJustNow) {
  const InstanceId first = Due(0, 10, "large");
  world_.AdvanceAndRun(100);
  session_ = world_.Attach("g", "s1", {"large", "small"}, 1, inbox_);
  ASSERT_EQ(inbox_->leases.size(), 1U);
  ASSERT_EQ(inbox_->leases.back().attempt.instance, first);
  const InstanceId waits = Due(0, 10, "small");
  world_.AdvanceAndRun(100);
  for (int i = 0; i < 8; ++i) Due(0, 50, "large");
  ReportLast();
  world_.engine->RunPartition(0);  // it gives the credit back, and then they come due
  ASSERT_EQ(inbox_->leases.size(), 1U);
  world_.AdvanceAndRun(50);
  ASSERT_EQ(inbox_->leases.size(), 2U);
  EXPECT_EQ(inbox_->leases.back().attempt.instance, waits);
}

}  // namespace
}  // namespace smsflow::engine
