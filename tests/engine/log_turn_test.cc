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
class BusyLog {
 public:
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
  ~BusyLog() {
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

// How often the log is written when three come for a partition whose batch waits, one for the other partition before.
int WritesOfFive() {
  BusyLog log;
  log.Create(0);
  EXPECT_TRUE(log.busy_.WaitForNotificationWithTimeout(kLong));
  log.Create(1);
  EXPECT_TRUE(log.AwaitDecided(2));
  for (int i = 0; i < 3; ++i) log.Create(1);
  EXPECT_EQ(log.answered_, 0) << "before anything is written";
  log.go_on_.Notify();
  log.AwaitAnswers(5);
  const int writes = log.Writes();
  EXPECT_EQ(log.world_.Violations(), "");
  return writes;
}

// The log may become free in the moment between a decision and its waiting: then there is nothing to wait for.
TEST(BusyLog, WhatComesWhileABatchWaitsIsWrittenWithIt) {
  int writes = 0;
  for (int tries = 0; tries < 50 && writes != 2; ++tries) writes = WritesOfFive();
  EXPECT_EQ(writes, 2);
}

TEST(BusyLog, WhatComesWhileItIsBusyWithTheirPartitionWaitsForTheNextBatch) {
  BusyLog log;
  log.Create(0);
  ASSERT_TRUE(log.busy_.WaitForNotificationWithTimeout(kLong));
  for (int i = 0; i < 3; ++i) log.Create(0);
  EXPECT_EQ(log.answered_, 0);
  log.go_on_.Notify();
  log.AwaitAnswers(4);
  EXPECT_EQ(log.Writes(), 2) << log.world_.Journal();
}

TEST(BusyLog, AStopWaitsForWhatWasBegun) {
  BusyLog log;
  log.Create(0);
  ASSERT_TRUE(log.busy_.WaitForNotificationWithTimeout(kLong));
  log.Create(1);
  ASSERT_TRUE(log.AwaitDecided(2));
  std::thread stop([&log] { log.world_.engine->Stop(); });
  log.go_on_.Notify();
  stop.join();
  EXPECT_EQ(log.answered_, 2);
  EXPECT_EQ(log.world_.Violations(), "");
}

}  // namespace
}  // namespace smsflow::engine
