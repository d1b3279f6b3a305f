// Where a log ends: whole, as a crash leaves it, or with damage that RocksDB would take for that.
#include "storage/log_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "rocksdb/file_system.h"
#include "storage/data_folder.h"
#include "storage/journal.h"
#include "storage/rocks_store.h"
#include "tests/storage/temporary_folder.h"
#include "tests/storage/whole_files.h"

namespace smsflow::storage {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class LogEndTest : public testing::Test {
 protected:
  static RocksStoreOptions Options(const std::string& path) {
    RocksStoreOptions options;
    options.path = path;
    options.memtable_bytes = 1 << 20;
    return options;
  }
  // A store with a log of batches of these sizes.
  void Write(const std::vector<std::size_t>& sizes) {
    auto store = RocksStore::Open(Options(path_));
    ASSERT_TRUE(store.ok()) << store.status();
    int row = 0;
    for (const std::size_t size : sizes) {
      Batch batch;
      batch.Put(Family::kQueues, "row" + std::to_string(row++), std::string(size, 'v'));
      ASSERT_TRUE((*store)->Write(batch, Sync::kYes).ok());
    }
    store->reset();
    for (const auto& file : fs::directory_iterator(path_))
      if (file.path().extension() == ".log" && fs::file_size(file) > 0) log_ = file.path();
    good_ = ReadAll(log_);
  }
  static LogEnd End(const std::string& path) {
    const auto end = FindLogEnd(*rocksdb::FileSystem::Default(), path);
    EXPECT_TRUE(end.ok()) << end.status();
    return end.value_or(LogEnd());
  }
  // Rows that are there when it is opened; -1: it is refused.
  int RowsWhenOpened() const {
    const std::string copy = folder_ / "copy";
    fs::remove_all(copy);
    fs::copy(path_, copy);
    const auto store = RocksStore::Open(Options(copy));
    if (!store.ok()) return -1;
    told_ = (*store)->torn_end();
    int rows = 0;
    for (const auto row = (*store)->Scan(Family::kQueues, {}, {}); row->Valid(); row->Next()) ++rows;
    return rows;
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_ / "db";
  std::string log_, good_;
  mutable std::string told_;
};

// Records of several blocks, and one that leaves less than a header's room at the end of its block.
TEST_F(LogEndTest, AWholeLogIsWhole) {
  for (std::size_t last = 32'726; last < 32'744; ++last) {
    fs::remove_all(path_);
    Write({last, 10, 100'000, 1});
    ASSERT_EQ(End(log_).kind, LogEnd::kWhole) << last;
    ASSERT_EQ(End(log_).bytes, good_.size());
  }
  EXPECT_EQ(RowsWhenOpened(), 4);
  EXPECT_EQ(told_, "");
}

TEST_F(LogEndTest, ALogThatIsCutAnywhereIsTornOrWholeAndSaysSo) {
  Write({100, 40'000, 300, 20});
  int torn = 0;
  for (std::size_t cut = 1; cut < good_.size(); cut += cut < 600 || cut > good_.size() - 600 ? 7 : 1'777) {
    WriteAll(log_, good_.substr(0, cut));
    const LogEnd end = End(log_);
    ASSERT_NE(end.kind, LogEnd::kDamaged) << cut;
    EXPECT_EQ(end.kind == LogEnd::kWhole, end.whole_bytes == cut) << cut;
    ASSERT_LE(end.whole_bytes, cut);
    if (end.kind != LogEnd::kTorn) continue;
    ++torn;
    if (cut % 5 != 0) continue;
    ASSERT_GE(RowsWhenOpened(), 0) << cut;
    EXPECT_THAT(told_, HasSubstr("ends within a record: its last " + std::to_string(cut - end.whole_bytes) + " bytes"));
  }
  EXPECT_GT(torn, 100);
}

// RocksDB itself takes some of these for the end of the log, and drops the rows behind.
TEST_F(LogEndTest, ABitThatIsFlippedInALengthIsNoEnd) {
  Write({100, 200, 300, 400, 500});
  int refused = 0, told = 0;
  std::size_t at = 0;
  for (int record = 0; record < 5; ++record) {
    const std::size_t length = static_cast<std::uint8_t>(good_[at + 4]) | static_cast<std::uint8_t>(good_[at + 5]) << 8;
    for (int bit = 0; bit < 16; ++bit) {
      std::string bad = good_;
      bad[at + 4 + static_cast<std::size_t>(bit / 8)] ^= static_cast<char>(1 << (bit % 8));
      WriteAll(log_, bad);
      const int rows = RowsWhenOpened();
      if (rows < 0) {
        ++refused;
        continue;
      }
      ++told;
      EXPECT_EQ(record, 4) << "only the last one can look torn; bit " << bit;
      EXPECT_EQ(rows, 4);
      EXPECT_THAT(told_, HasSubstr("ends within a record"));
    }
    at += 7 + length;
  }
  ASSERT_EQ(at, good_.size());
  EXPECT_GE(refused, 4 * 16);
  EXPECT_GT(told, 0);
}

TEST_F(LogEndTest, AListOfTablesThatIsCutOffIsRefusedBeforeATableIsDeleted) {
  const std::string data = folder_ / "data";
  DataFolderOptions options;
  options.path = data;
  options.shards = 8;
  options.ballast_bytes = 0;
  options.memtable_bytes = 1 << 20;
  {
    auto folder = DataFolder::Open(options);
    ASSERT_TRUE(folder.ok()) << folder.status();
    ChainHead head;
    for (std::uint64_t i = 1; i <= 20; ++i) {
      Batch batch;
      AppendJournal(batch, ShardId{3}, head, 0, InstanceId::Make(1, ShardId{3}, i), "body");
      ASSERT_TRUE((*folder)->store().Write(batch, Sync::kYes).ok());
      if (i % 5 == 0) {
        ASSERT_TRUE((*folder)->Compact().ok());
      }
      (*folder)->high_water().Note(ShardId{3}, {0, i});
    }
    ASSERT_TRUE((*folder)->high_water().Save().ok());
  }
  fs::path list;
  for (const auto& file : fs::directory_iterator(data + "/db"))
    if (file.path().filename().string().starts_with("MANIFEST-")) list = file.path();
  const auto tables = [&data] {
    int count = 0;
    for (const auto& file : fs::directory_iterator(data + "/db")) count += file.path().extension() == ".sst" ? 1 : 0;
    return count;
  };
  const std::string good = ReadAll(list);
  const int before = tables();
  ASSERT_GT(before, 0);
  int refused = 0;
  for (std::size_t cut = 20; cut < good.size(); cut += 3) {
    WriteAll(list, good.substr(0, cut));
    if (End(list).kind == LogEnd::kWhole) continue;
    const auto folder = DataFolder::Open(options);
    if (folder.ok()) continue;  // so little is missing from the list that it names all tables
    ++refused;
    ASSERT_EQ(tables(), before) << "cut at " << cut << ": " << folder.status();
  }
  EXPECT_GT(refused, 20);
}

}  // namespace
}  // namespace smsflow::storage
