// A disk whose free space a test sets: what is low, what the ballast gives, and when a recovery is refused.
#include "storage/disk_room.h"

#include <gtest/gtest.h>
#include <rocksdb/file_system.h>

#include <filesystem>
#include <fstream>

#include "tests/storage/temporary_folder.h"

namespace smsflow::storage {
namespace {

constexpr std::uint64_t kMegabyte = 1 << 20;
constexpr std::uint64_t kBallast = 2 * kMegabyte;
constexpr std::uint64_t kReserve = 16 * kMegabyte;  // with memtables of one megabyte

// What is free without the ballast; the ballast takes its part of it.
class Disk : public rocksdb::FileSystemWrapper {
 public:
  explicit Disk(std::string ballast) : FileSystemWrapper(FileSystem::Default()), ballast_(std::move(ballast)) {}
  const char* Name() const override { return "Disk"; }
  rocksdb::IOStatus GetFreeSpace(const std::string&, const rocksdb::IOOptions&, std::uint64_t* bytes,
                                 rocksdb::IODebugContext*) override {
    *bytes = free - (std::filesystem::exists(ballast_) ? kBallast : 0);
    return rocksdb::IOStatus::OK();
  }
  std::uint64_t free = 1'000 * kMegabyte;

 private:
  const std::string ballast_;
};

class DiskRoomTest : public testing::Test {
 protected:
  bool HasBallast() const { return std::filesystem::exists(folder_ / "ballast"); }
  void Log(std::uint64_t bytes) {
    std::ofstream(folder_ / "000004.log") << "";
    std::filesystem::resize_file(folder_ / "000004.log", bytes);
  }

  TemporaryFolder folder_;
  std::shared_ptr<Disk> disk_ = std::make_shared<Disk>(folder_ / "ballast");
  DiskRoom room_{{folder_ / "", folder_ / "", folder_ / "ballast", kBallast, kMegabyte, disk_}};
};

TEST_F(DiskRoomTest, IsLowBelowTheReserveAndUntilThereIsRoomToSpare) {
  EXPECT_EQ(room_.ReserveBytes(), kReserve);
  EXPECT_FALSE(room_.IsLow(kReserve, false));
  EXPECT_TRUE(room_.IsLow(kReserve - 1, false));
  EXPECT_TRUE(room_.IsLow(kReserve + kReserve / 2 + kBallast - 1, true));
  EXPECT_FALSE(room_.IsLow(kReserve + kReserve / 2 + kBallast, true));
}

TEST_F(DiskRoomTest, BallastIsMadeOnlyWhereThereIsRoomForIt) {
  disk_->free = kReserve + kBallast - 1;
  ASSERT_TRUE(room_.RestoreBallast().ok());
  EXPECT_FALSE(HasBallast());
  disk_->free = kReserve + kBallast;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(room_.RestoreBallast().ok());
  EXPECT_EQ(std::filesystem::file_size(folder_ / "ballast"), kBallast);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(room_.ReleaseBallast().ok());
  EXPECT_FALSE(HasBallast());
}

TEST_F(DiskRoomTest, ARecoveryThatNeedsTheBallastGetsIt) {
  ASSERT_TRUE(room_.RestoreBallast().ok());
  Log(3 * kMegabyte);
  disk_->free = 6 * kMegabyte;
  ASSERT_TRUE(room_.MakeRoomToRecover().ok());
  EXPECT_TRUE(HasBallast()) << "there was room without it";
  disk_->free = 5 * kMegabyte;
  ASSERT_TRUE(room_.MakeRoomToRecover().ok());
  EXPECT_FALSE(HasBallast());
}

TEST_F(DiskRoomTest, ARecoveryWithoutRoomIsRefused) {
  ASSERT_TRUE(room_.RestoreBallast().ok());
  Log(3 * kMegabyte);
  disk_->free = 4 * kMegabyte - 1;
  const absl::Status status = room_.MakeRoomToRecover();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_NE(status.message().find("is full: 4194303 bytes are free, 4194304 are needed to start"),
            absl::string_view::npos)
      << status;
}

}  // namespace
}  // namespace smsflow::storage
