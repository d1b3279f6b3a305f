// The disk under the crash file system holds at every moment what a power cut would leave: tests copy it and look.
#include "tests/crash/crash_file_system.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "rocksdb/file_system.h"
#include "storage/data_folder.h"
#include "storage/journal.h"
#include "storage/rocks_store.h"
#include "tests/storage/temporary_folder.h"

namespace smsflow::crash {
namespace {

using storage::Batch, storage::DataFolder, storage::DataFolderOptions, storage::Family, storage::RocksStore,
    storage::RocksStoreOptions, storage::Sync, storage::TemporaryFolder;

const rocksdb::IOOptions kIo;

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return in ? std::string{std::istreambuf_iterator<char>(in), {}} : "none";
}

class CrashFileSystemTest : public testing::Test {
 protected:
  std::unique_ptr<rocksdb::FSWritableFile> Make(const std::string& name) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    EXPECT_TRUE(files_->NewWritableFile(folder_ / name, {}, &file, nullptr).ok());
    return file;
  }
  void SyncFolder() {
    std::unique_ptr<rocksdb::FSDirectory> directory;
    ASSERT_TRUE(files_->NewDirectory(folder_ / "", kIo, &directory, nullptr).ok());
    ASSERT_TRUE(directory->Fsync(kIo, nullptr).ok());
  }
  std::string OnDisk(const std::string& name) { return ReadAll(folder_ / name); }
  std::string Seen(const std::string& name) {
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    if (!files_->NewRandomAccessFile(folder_ / name, {}, &file, nullptr).ok()) return "none";
    std::string buffer(100, '\0');
    rocksdb::Slice read;
    EXPECT_TRUE(file->Read(0, buffer.size(), kIo, &read, buffer.data(), nullptr).ok());
    return read.ToString();
  }

  TemporaryFolder folder_;
  std::shared_ptr<rocksdb::FileSystem> files_ = MakeCrashFileSystem();
};

TEST_F(CrashFileSystemTest, BytesReachTheDiskWithTheirSyncAndTheDirectorys) {
  const auto file = Make("a");
  ASSERT_TRUE(file->Append("one ", kIo, nullptr).ok());
  EXPECT_EQ(Seen("a"), "one ");
  EXPECT_EQ(OnDisk("a"), "none");
  ASSERT_TRUE(file->Sync(kIo, nullptr).ok());
  EXPECT_EQ(OnDisk("a"), "none") << "synced, but its directory is not";
  ASSERT_TRUE(file->Append("two ", kIo, nullptr).ok());
  SyncFolder();
  EXPECT_EQ(OnDisk("a"), "one ");
  EXPECT_EQ(Seen("a"), "one two ");
  ASSERT_TRUE(file->Flush(kIo, nullptr).ok());
  ASSERT_TRUE(file->Close(kIo, nullptr).ok());
  EXPECT_EQ(OnDisk("a"), "one ") << "neither flushing nor closing syncs";
  ASSERT_TRUE(file->Sync(kIo, nullptr).ok());
  EXPECT_EQ(OnDisk("a"), "one two ");
}

TEST_F(CrashFileSystemTest, RenamesAndDeletionsWaitForTheirDirectory) {
  for (const char* name : {"a", "b"}) {
    const auto file = Make(name);
    ASSERT_TRUE(file->Append(name, kIo, nullptr).ok());
    ASSERT_TRUE(file->Sync(kIo, nullptr).ok());
  }
  SyncFolder();
  ASSERT_TRUE(files_->RenameFile(folder_ / "a", folder_ / "b", kIo, nullptr).ok());
  EXPECT_EQ(Seen("b"), "a");
  EXPECT_EQ(Seen("a"), "none");
  EXPECT_EQ(OnDisk("b"), "b");
  EXPECT_EQ(OnDisk("a"), "a");
  SyncFolder();
  EXPECT_EQ(OnDisk("b"), "a");
  EXPECT_EQ(OnDisk("a"), "none");
  ASSERT_TRUE(files_->DeleteFile(folder_ / "b", kIo, nullptr).ok());
  EXPECT_EQ(Seen("b"), "none");
  EXPECT_EQ(OnDisk("b"), "a");
  std::vector<std::string> names;
  ASSERT_TRUE(files_->GetChildren(folder_ / "", kIo, &names, nullptr).ok());
  EXPECT_EQ(std::count(names.begin(), names.end(), "b"), 0);
  SyncFolder();
  EXPECT_EQ(OnDisk("b"), "none");
}

TEST_F(CrashFileSystemTest, WritesInPlaceWaitForTheirSync) {
  std::ofstream(folder_ / "a") << "0123456789";
  std::unique_ptr<rocksdb::FSRandomRWFile> file;
  ASSERT_TRUE(files_->NewRandomRWFile(folder_ / "a", {}, &file, nullptr).ok());
  ASSERT_TRUE(file->Write(2, "ab", kIo, nullptr).ok());
  ASSERT_TRUE(file->Write(3, "cd", kIo, nullptr).ok());
  EXPECT_EQ(Seen("a"), "01acd56789");
  EXPECT_EQ(OnDisk("a"), "0123456789");
  ASSERT_TRUE(file->Sync(kIo, nullptr).ok());
  EXPECT_EQ(OnDisk("a"), "01acd56789");
}

TEST_F(CrashFileSystemTest, AFileThatIsMadeAnewReplacesTheOldOneAtOnceOrNotAtAll) {
  std::ofstream(folder_ / "a") << "old";
  const auto file = Make("a");
  ASSERT_TRUE(file->Append("new", kIo, nullptr).ok());
  ASSERT_TRUE(file->Sync(kIo, nullptr).ok());
  EXPECT_EQ(OnDisk("a"), "old");
  SyncFolder();
  EXPECT_EQ(OnDisk("a"), "new");
}

// One order at a time, on a file layer of its own.
class FaultsTest : public CrashFileSystemTest {
 protected:
  // A file of that name with one byte that is synced, or was to be.
  rocksdb::IOStatus SyncOne(Faults::Order order, const char* name) {
    files_ = MakeCrashFileSystem(Faults(order));
    const auto file = Make(name);
    SyncFolder();
    if (auto status = file->Append("x", kIo, nullptr); !status.ok()) return status;
    return file->Sync(kIo, nullptr);
  }
};

TEST_F(FaultsTest, ASyncThatFailsDidOrDidNotTakeEffect) {
  EXPECT_TRUE(SyncOne({Fault::kFailBefore, FileKind::kLog, 1}, "1.log").IsIOError());
  EXPECT_EQ(OnDisk("1.log"), "");
  EXPECT_TRUE(SyncOne({Fault::kFailAfter, FileKind::kLog, 1}, "2.log").IsIOError());
  EXPECT_EQ(OnDisk("2.log"), "x");
}

TEST_F(FaultsTest, AnOrderConcernsItsFilesAndItsNumberAlone) {
  EXPECT_TRUE(SyncOne({Fault::kFailBefore, FileKind::kTable, 1}, "1.log").ok());
  EXPECT_TRUE(SyncOne({Fault::kFailBefore, FileKind::kLog, 2}, "2.log").ok());
  EXPECT_TRUE(SyncOne({Fault::kFailBefore, FileKind::kTable, 1}, "3.sst").IsIOError());
  EXPECT_TRUE(SyncOne({Fault::kFailBefore, FileKind::kMark, 1}, "high-water").IsIOError());
  EXPECT_TRUE(SyncOne({Fault::kFailBefore, FileKind::kAny, 2}, "4.log").IsIOError()) << "after the directory's";
}

TEST_F(FaultsTest, AFullDiskTakesNothing) {
  EXPECT_TRUE(SyncOne({Fault::kFull, FileKind::kAny, 1}, "1.log").IsNoSpace());
}

TEST_F(FaultsTest, AKillLeavesWhatWasSyncedBefore) {
  EXPECT_EXIT(SyncOne({Fault::kKillBefore, FileKind::kLog, 1}, "1.log"), testing::KilledBySignal(SIGKILL), "before");
  EXPECT_EQ(OnDisk("1.log"), "");
  EXPECT_EXIT(SyncOne({Fault::kKillAfter, FileKind::kLog, 1}, "2.log"), testing::KilledBySignal(SIGKILL), "after");
  EXPECT_EQ(OnDisk("2.log"), "x");
}

// How many of the keys that were written are there after a power cut. The folder is copied while the store lives, so
// memtables are too large for anything to happen behind our back meanwhile; KillTest has them small.
int SurvivorsOf(Sync sync, int writes) {
  TemporaryFolder folder;
  RocksStoreOptions options;
  options.path = folder / "db";
  options.file_system = MakeCrashFileSystem();
  auto store = RocksStore::Open(options);
  EXPECT_TRUE(store.ok()) << store.status();
  for (int i = 0; i < writes; ++i) {
    Batch batch;
    batch.Put(Family::kQueues, "key " + std::to_string(i), std::string(1000, 'v'));
    EXPECT_TRUE((*store)->Write(batch, sync).ok());
  }
  std::filesystem::copy(folder / "db", folder / "left", std::filesystem::copy_options::recursive);
  options.path = folder / "left";
  options.file_system = nullptr;
  auto left = RocksStore::Open(options);
  EXPECT_TRUE(left.ok()) << left.status();
  int survivors = 0;
  while (left.ok() && *(*left)->Get(Family::kQueues, "key " + std::to_string(survivors))) ++survivors;
  return survivors;
}

TEST(PowerCut, LosesNothingThatWasSynced) {
  for (const int writes : {1, 10, 777}) EXPECT_EQ(SurvivorsOf(Sync::kYes, writes), writes);
}

TEST(PowerCut, LosesWhatWasNotSynced) {
  for (const int writes : {1, 10, 777}) EXPECT_EQ(SurvivorsOf(Sync::kNo, writes), 0);
}

// Starts crash_writer, kills it after so many acknowledged batches, and gives back how many it had acknowledged by
// then.
int KilledAfter(int acknowledged, const std::string& sync, const std::string& folder) {
  int pipe_ends[2];
  EXPECT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    ::close(pipe_ends[0]);
    ::execl(SMSFLOW_CRASH_WRITER, SMSFLOW_CRASH_WRITER, folder.c_str(), sync.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  char byte = 0;
  int count = 0;
  while (count < acknowledged && ::read(pipe_ends[0], &byte, 1) == 1) ++count;
  ::kill(child, SIGKILL);
  while (::read(pipe_ends[0], &byte, 1) == 1) ++count;  // what it said before it died
  ::close(pipe_ends[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << status;
  return count;
}

class KillTest : public testing::Test {
 protected:
  KillTest() {
    options_.path = folder_ / "data";
    options_.shards = 1;
    options_.ballast_bytes = 1 << 20;
    options_.memtable_bytes = 256 << 10;
  }
  TemporaryFolder folder_;
  DataFolderOptions options_;
};

TEST_F(KillTest, WhatWasSyncedIsThereAndAboveItsMark) {
  const int acknowledged = KilledAfter(1500, "sync", options_.path);
  ASSERT_GE(acknowledged, 1500);
  const auto folder = DataFolder::Open(options_);
  ASSERT_TRUE(folder.ok()) << folder.status();
  const auto head = storage::FindChainHead((*folder)->store(), ShardId{0});
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_GE(head->sequence, static_cast<std::uint64_t>(acknowledged));
}

// The marks are synced, the log is not: just the folder that must not be opened as if nothing had happened.
TEST_F(KillTest, WhatWasNotSyncedIsGoneAndTheFolderSaysSo) {
  ASSERT_GE(KilledAfter(1500, "no-sync", options_.path), 1500);
  const auto folder = DataFolder::Open(options_);
  EXPECT_EQ(folder.status().code(), absl::StatusCode::kDataLoss) << folder.status();
}

}  // namespace
}  // namespace smsflow::crash
