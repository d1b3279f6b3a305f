// The guard of the disk's free space, on a disk that a test fills.
#include "server/disk_guard.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "tests/engine/idle_engine.h"

namespace smsflow::server {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);
constexpr std::uint64_t kMegabyte = 1 << 20;
constexpr std::uint64_t kReserve = 100 * kMegabyte;
constexpr std::uint64_t kBallast = 50 * kMegabyte;

class Disk : public storage::DataFolder {
 public:
  void SetFree(absl::StatusOr<std::uint64_t> free) {
    const std::lock_guard lock(mutex_);
    free_ = std::move(free);
  }
  // Until it was looked at so many times more.
  bool AwaitLooks(int more) {
    std::unique_lock lock(mutex_);
    const int till = looks_ + more;
    return looked_.wait_for(lock, kPatience, [&] { return looks_ >= till; });
  }
  // As under a quota, which the free space of the disk does not show.
  void RefuseBallast() {
    const std::lock_guard lock(mutex_);
    refuses_ = true;
    tries_ = 0;
  }
  int tries() const {
    const std::lock_guard lock(mutex_);
    return tries_;
  }
  bool has_ballast() const {
    const std::lock_guard lock(mutex_);
    return ballast_;
  }

  absl::StatusOr<std::uint64_t> FreeBytes() const override {
    const std::lock_guard lock(mutex_);
    ++looks_;
    looked_.notify_all();
    return free_;
  }
  std::uint64_t ReserveBytes() const override { return kReserve; }
  absl::Status ReleaseBallast() override { return SetBallast(false); }
  absl::Status RestoreBallast() override { return SetBallast(true); }

  storage::Store& store() override { std::abort(); }
  const storage::IndexKeys& index_keys() const override { std::abort(); }
  storage::HighWater& high_water() override { std::abort(); }
  std::uint16_t shards() const override { return 1; }
  const std::string& uuid() const override { std::abort(); }
  bool created() const override { return false; }
  const std::string& torn_end() const override { std::abort(); }
  std::uint64_t UsedBytes() const override { return 0; }
  std::vector<std::pair<std::string, std::uint64_t>> Figures() const override { return {}; }
  absl::Status Compact() override { return absl::OkStatus(); }

 private:
  absl::Status SetBallast(bool there) {
    const std::lock_guard lock(mutex_);
    ++tries_;
    if (refuses_) return absl::ResourceExhaustedError("a quota");
    ballast_ = there;
    return absl::OkStatus();
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable looked_;
  mutable int looks_ = 0;
  absl::StatusOr<std::uint64_t> free_ = 10 * kReserve;
  bool ballast_ = true, refuses_ = false;
  int tries_ = 0;
};

// Notes what it is told of the disk.
class Told : public engine::IdleEngine {
 public:
  void SetDiskGuard(bool on) override {
    const std::lock_guard lock(mutex_);
    words_.push_back(on);
    told_.notify_all();
  }
  // All it was told, once that is so many words.
  std::vector<bool> Await(std::size_t words) {
    std::unique_lock lock(mutex_);
    told_.wait_for(lock, kPatience, [&] { return words_.size() >= words; });
    return words_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<bool> words_;
};

class DiskGuardTest : public ::testing::Test {
 protected:
  using Words = std::vector<bool>;
  Disk disk_;
  Told engine_;
};

TEST_F(DiskGuardTest, ADiskThatIsFullAtTheStartIsToldBeforeAnythingElse) {
  disk_.SetFree(kReserve - 1);
  DiskGuard guard(disk_, engine_, kBallast);
  EXPECT_EQ(engine_.Await(1), Words{true});
  EXPECT_FALSE(disk_.has_ballast());
}

TEST_F(DiskGuardTest, GoesOnAndOffByItselfAndDoesNotFlutter) {
  DiskGuard guard(disk_, engine_, kBallast);
  ASSERT_TRUE(disk_.AwaitLooks(2));
  EXPECT_EQ(engine_.Await(0), Words{});
  disk_.SetFree(kReserve);
  ASSERT_TRUE(disk_.AwaitLooks(2));
  EXPECT_EQ(engine_.Await(0), Words{}) << "the reserve itself is enough";
  disk_.SetFree(kReserve - 1);
  EXPECT_EQ(engine_.Await(1), Words{true});
  ASSERT_TRUE(disk_.AwaitLooks(2));
  EXPECT_FALSE(disk_.has_ballast());
  // What the ballast gave back is no room: it is to be made again.
  disk_.SetFree(kReserve + kReserve / 2 + kBallast - 1);
  ASSERT_TRUE(disk_.AwaitLooks(2));
  EXPECT_EQ(engine_.Await(0), Words{true});
  disk_.SetFree(kReserve + kReserve / 2 + kBallast);
  EXPECT_EQ(engine_.Await(2), (Words{true, false}));
  ASSERT_TRUE(disk_.AwaitLooks(2));
  EXPECT_TRUE(disk_.has_ballast());
  disk_.SetFree(0);
  EXPECT_EQ(engine_.Await(3), (Words{true, false, true}));
}

TEST_F(DiskGuardTest, ABallastThatIsNotThereIsMadeWhileTheProcessLives) {
  DiskGuard guard(disk_, engine_, kBallast);
  ASSERT_TRUE(disk_.ReleaseBallast().ok());  // as a start without room for it leaves it
  ASSERT_TRUE(disk_.AwaitLooks(3));
  EXPECT_TRUE(disk_.has_ballast());
  disk_.SetFree(0);
  EXPECT_EQ(engine_.Await(1), Words{true});
  ASSERT_TRUE(disk_.RestoreBallast().ok());  // as a release that failed leaves it
  ASSERT_TRUE(disk_.AwaitLooks(3));
  EXPECT_FALSE(disk_.has_ballast());
}

TEST_F(DiskGuardTest, ABallastThatCannotBeMadeIsTriedLessAndLessOften) {
  DiskGuard guard(disk_, engine_, kBallast);
  disk_.RefuseBallast();
  ASSERT_TRUE(disk_.AwaitLooks(12));
  EXPECT_GE(disk_.tries(), 2);
  EXPECT_LE(disk_.tries(), 5) << "after 1, 2, 4, 8 looks";
}

TEST_F(DiskGuardTest, ADiskThatCannotBeReadChangesNothing) {
  DiskGuard guard(disk_, engine_, kBallast);
  disk_.SetFree(absl::UnavailableError("no"));
  ASSERT_TRUE(disk_.AwaitLooks(2));
  EXPECT_EQ(engine_.Await(0), Words{});
  disk_.SetFree(kReserve - 1);
  EXPECT_EQ(engine_.Await(1), Words{true});
  disk_.SetFree(absl::UnavailableError("no"));
  ASSERT_TRUE(disk_.AwaitLooks(2));
  EXPECT_EQ(engine_.Await(0), Words{true});
}

}  // namespace
}  // namespace smsflow::server
