// Partitions as threads that share one log.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "tests/engine/world.h"

namespace smsflow::engine {
namespace {

constexpr absl::Duration kLong = absl::Seconds(30);

// A log that is busy until it is told to go on.
class BusyLog : public ::testing::Test {
 protected:
  BusyLog() {
    world_.options.partitions = 2;
    world_.engine_random = &SystemRandom();  // for threads
    world_.policy_of = [this](std::string_view) -> const Policy& {
      ++decided_;
      return world_.policy;
    };
    world_.Open();
    world_.Run();  // what an engine stores at its start
    writes_before_ = world_.store->writes;
    world_.store->on_write = [this] {
      if (busy_.HasBeenNotified()) return;
      busy_.Notify();
      go_on_.WaitForNotificationWithTimeout(kLong);
    };
    world_.engine->Start();
  }
  ~BusyLog() override {
    if (!go_on_.HasBeenNotified()) go_on_.Notify();
  }

  void Create(int partition) {
    CreateRequest request;
    request.workflow = courier::kWorkflow;
    request.tenant = "t";
    do {
      request.target = "target " + std::to_string(targets_++);
    } while (world_.index_keys.Shard(world_.options.shards, "t", request.target, "", 0).value %
                 world_.options.partitions !=
             partition);
    request.event = courier::Create({world_.clock.wall_ms + 60'000, "", std::nullopt, ""});
    world_.engine->Create(std::move(request), [this](const Answer& answer) {
      EXPECT_TRUE(answer.status.ok()) << answer.status;
      ++answered_;
    });
  }
  // As many were decided, and wait to be written.
  bool AwaitDecided(int count) {
    const absl::Time end = absl::Now() + kLong;
    while (decided_ < count && absl::Now() < end) std::this_thread::yield();
    return decided_ == count;
  }
  void AwaitAnswers(int count) {
    const absl::Time end = absl::Now() + kLong;
    while (answered_ < count && absl::Now() < end) std::this_thread::yield();
    EXPECT_EQ(answered_, count);
  }
  int Writes() {
    world_.engine->Stop();
    return world_.store->writes - writes_before_;
  }

  int writes_before_ = 0;
  int targets_ = 0;
  std::atomic<int> decided_{0}, answered_{0};
  absl::Notification busy_, go_on_;
  World world_;
};

TEST_F(BusyLog, WhatComesWhileABatchWaitsIsWrittenWithIt) {
  Create(0);
  ASSERT_TRUE(busy_.WaitForNotificationWithTimeout(kLong));
  Create(1);
  ASSERT_TRUE(AwaitDecided(2));
  for (int i = 0; i < 3; ++i) Create(1);
  EXPECT_EQ(answered_, 0) << "before anything is written";
  go_on_.Notify();
  AwaitAnswers(5);
  EXPECT_EQ(Writes(), 2) << world_.Journal();
  EXPECT_EQ(world_.Violations(), "");
}

TEST_F(BusyLog, WhatComesWhileItIsBusyWithTheirPartitionWaitsForTheNextBatch) {
  Create(0);
  ASSERT_TRUE(busy_.WaitForNotificationWithTimeout(kLong));
  for (int i = 0; i < 3; ++i) Create(0);
  EXPECT_EQ(answered_, 0);
  go_on_.Notify();
  AwaitAnswers(4);
  EXPECT_EQ(Writes(), 2) << world_.Journal();
}

TEST_F(BusyLog, AStopWaitsForWhatWasBegun) {
  Create(0);
  ASSERT_TRUE(busy_.WaitForNotificationWithTimeout(kLong));
  Create(1);
  ASSERT_TRUE(AwaitDecided(2));
  std::thread stop([this] { world_.engine->Stop(); });
  go_on_.Notify();
  stop.join();
  EXPECT_EQ(answered_, 2);
  EXPECT_EQ(world_.Violations(), "");
}

}  // namespace
}  // namespace smsflow::engine
