// Where a log ends: whole, as a crash leaves it, or with damage that RocksDB would take for that.
#include "storage/log_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rocksdb/file_system.h"
#include "storage/data_folder.h"
#include "storage/journal.h"
#include "storage/rocks_store.h"
#include "tests/storage/fails_once.h"
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
  // A store with a log of batches of these sizes, and one with this among other bytes.
  void Write(const std::vector<std::size_t>& sizes, const std::string& last = "") {
    auto store = RocksStore::Open(Options(path_));
    ASSERT_TRUE(store.ok()) << store.status();
    int row = 0;
    for (const std::size_t size : sizes) {
      Batch batch;
      batch.Put(Family::kQueues, "row" + std::to_string(row++), std::string(size, 'v'));
      ASSERT_TRUE((*store)->Write(batch, Sync::kYes).ok());
    }
    if (!last.empty()) {
      Batch batch;
      batch.Put(Family::kQueues, "last", std::string(300, 'x') + last + std::string(300, 'x'));
      ASSERT_TRUE((*store)->Write(batch, Sync::kYes).ok());
    }
    store->reset();
    for (const auto& file : fs::directory_iterator(path_))
      if (file.path().extension() == ".log" && fs::file_size(file) > 0) log_ = file.path();
    good_ = ReadAll(log_);
  }
  LogEnd End(const std::string& path) const {
    const auto end = FindLogEnd(*rocksdb::FileSystem::Default(), path, path == log_ ? LogOf::kRows : LogOf::kTables);
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
TEST_F(LogEndTest, ABitThatIsFlippedInAHeaderIsNoEnd) {
  Write({100, 200, 300, 400, 500});
  std::size_t at = 0;
  for (int record = 0; record < 5; ++record) {
    const std::size_t length = static_cast<std::uint8_t>(good_[at + 4]) | static_cast<std::uint8_t>(good_[at + 5]) << 8;
    for (int bit = 0; bit < 56; ++bit) {
      std::string bad = good_;
      bad[at + static_cast<std::size_t>(bit / 8)] ^= static_cast<char>(1 << (bit % 8));
      WriteAll(log_, bad);
      EXPECT_EQ(RowsWhenOpened(), -1) << "record " << record << ", bit " << bit;
    }
    at += 7 + length;
  }
  ASSERT_EQ(at, good_.size());
}

// A row is what a client sent, as it came. What looks like a record there follows nothing.
TEST_F(LogEndTest, ARowThatLooksLikeARecordIsNone) {
  Write({100, 200});
  const std::size_t length = 7 + static_cast<std::uint8_t>(good_[4]);
  const std::string record = good_.substr(0, length);
  ASSERT_EQ(End(log_).first_row, 1U);
  WriteAll(log_, record);
  ASSERT_EQ(End(log_).kind, LogEnd::kWhole) << "a record it is";
  for (const bool first : {true, false}) {
    fs::remove_all(path_);
    Write(first ? std::vector<std::size_t>{} : std::vector<std::size_t>{100, 100}, record);
    const std::size_t at = good_.rfind(record);
    ASSERT_NE(at, std::string::npos);
    // In place of the first record of a log any number may stand; but then records follow to the end, as here they do
    // where the file ends with that very one.
    for (const std::size_t left : {at + length + 200, at + length, at + 20}) {
      if (first && left == at + length) continue;
      WriteAll(log_, good_.substr(0, left));
      EXPECT_EQ(End(log_).kind, LogEnd::kTorn) << first << ' ' << left;
      EXPECT_EQ(RowsWhenOpened(), first ? 0 : 2);
    }
  }
}

// One family is full and goes into a table, and another's rows stay in the log of before: several logs count.
class SeveralLogsTest : public LogEndTest {
 protected:
  SeveralLogsTest() {
    auto store = RocksStore::Open(Options(path_));
    EXPECT_TRUE(store.ok()) << store.status();
    for (int i = 0; i < 120; ++i) {
      Batch batch;
      batch.Put(Family::kJournal, "big" + std::to_string(i), std::string(20'000, 'b'));
      batch.Put(Family::kQueues, "row" + std::to_string(i), "v");
      EXPECT_TRUE((*store)->Write(batch, Sync::kYes).ok());
    }
    // As it is now: an end in order would leave the logs too, but no kill waits for it.
    fs::copy(path_, folder_ / "left");
    store->reset();
    fs::remove_all(path_);
    fs::rename(folder_ / "left", path_);
    for (const auto& file : fs::directory_iterator(path_))
      if (file.path().extension() == ".log" && fs::file_size(file) > 0) logs_.push_back(file.path());
    std::sort(logs_.begin(), logs_.end());
  }
  absl::StatusOr<int> RowsOf(bool cut_log) {
    const std::string copy = folder_ / "copy";
    fs::remove_all(copy);
    fs::copy(path_, copy, fs::copy_options::recursive);
    RocksStoreOptions options = Options(copy);
    options.cut_log = cut_log;
    const auto store = RocksStore::Open(options);
    if (!store.ok()) return store.status();
    int rows = 0;
    for (const auto row = (*store)->Scan(Family::kQueues, {}, {}); row->Valid(); row->Next()) ++rows;
    if (cut_log) {
      EXPECT_TRUE(OpensAgain(copy));
    }
    for (int i = 0; i < rows; ++i)
      EXPECT_TRUE((*store)->Get(Family::kQueues, "row" + std::to_string(i)).value_or(std::nullopt))
          << i << " of " << rows;
    return rows;
  }

  // As what will run on it opens it, which knows of no cut.
  bool OpensAgain(const std::string& copy) const {
    const std::string again = folder_ / "again";
    fs::remove_all(again);
    fs::copy(copy, again, fs::copy_options::recursive);
    const auto store = RocksStore::Open(Options(again));
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok();
  }

  std::vector<std::string> logs_;
};

TEST_F(SeveralLogsTest, DamageInAnyOfThemIsRefusedAndCutThere) {
  ASSERT_GE(logs_.size(), 2U);
  EXPECT_EQ(RowsOf(false).value_or(-1), 120);
  const std::string first = ReadAll(logs_[0]);
  const auto refused = [&](const std::string& damaged, const char* how) {
    WriteAll(logs_[0], damaged);
    const auto rows = RowsOf(false);
    EXPECT_TRUE(absl::IsDataLoss(rows.status())) << how << ": " << rows.status();
    const auto cut = RowsOf(true);
    ASSERT_TRUE(cut.ok()) << how << ": " << cut.status();
    EXPECT_LT(*cut, 120) << how << ": what follows the damage is gone with it";
    WriteAll(logs_[0], first);
  };
  refused(first.substr(0, first.size() - 10), "cut within its last record");
  // Nothing is left of it that would tell, but the list of tables knows of it; and there is no place at which to cut.
  for (const std::size_t left : {20UL, 5UL, 0UL, ~0UL}) {
    if (left > first.size()) {
      fs::remove(logs_[0]);
    } else {
      WriteAll(logs_[0], first.substr(0, left));
    }
    for (const bool cut : {false, true}) EXPECT_TRUE(absl::IsDataLoss(RowsOf(cut).status())) << left << ' ' << cut;
    WriteAll(logs_[0], first);
  }
  // Nor is there one where another is damaged besides: it would be opened without the rows of the one that is gone.
  fs::remove(logs_[0]);
  const std::string second = ReadAll(logs_[1]);
  std::string bad = second;
  bad[5] = static_cast<char>(bad[5] ^ 1);
  WriteAll(logs_[1], bad);
  for (const bool cut : {false, true}) EXPECT_TRUE(absl::IsDataLoss(RowsOf(cut).status())) << cut;
  WriteAll(logs_[0], first);
  WriteAll(logs_[1], second);
  std::size_t whole = 0;  // where its last record begins
  for (std::size_t at = 0; at + 7 < first.size();) {
    const std::size_t length = static_cast<std::uint8_t>(first[at + 4]) | static_cast<std::uint8_t>(first[at + 5]) << 8;
    if (first[at + 6] == 1 || first[at + 6] == 2) whole = at;
    at += 7 + length;
    if (32'768 - at % 32'768 < 7) at = (at / 32'768 + 1) * 32'768;
  }
  refused(first.substr(0, whole), "cut between two records");
  for (const std::size_t bit : {32U, 40U, 47U, 50U, 51U}) {
    bad = first;
    bad[whole + bit / 8] = static_cast<char>(bad[whole + bit / 8] ^ (1 << (bit % 8)));
    refused(bad, "a bit in the header of its last record");
  }
}

// A power cut may bring back a log whose rows are in tables already, and whatever it then looks like is all the same.
TEST_F(SeveralLogsTest, ALogThatNobodyNeedsAnyMoreHasNoSay) {
  const std::string old = logs_[0], first = ReadAll(old);
  {
    const auto store = RocksStore::Open(Options(path_));
    ASSERT_TRUE(store.ok()) << store.status();
    Batch batch;
    batch.Put(Family::kQueues, "row120", "v");
    ASSERT_TRUE((*store)->Write(batch, Sync::kYes).ok());
  }
  ASSERT_FALSE(fs::exists(old));
  WriteAll(old, first.substr(0, first.size() / 2));
  EXPECT_EQ(RowsOf(false).value_or(-1), 121);
  EXPECT_EQ(RowsOf(true).value_or(-1), 121);
  fs::remove(old);
  fs::create_directory(old);  // which cannot be read at all
  EXPECT_EQ(RowsOf(false).value_or(-1), 121);
  EXPECT_EQ(RowsOf(true).value_or(-1), 121);
}

// It may pass by itself, and whoever takes it for damage cuts what is whole, or stays down until a person comes.
TEST_F(SeveralLogsTest, ACallThatFailsIsNoDamageAndCostsNoRow) {
  const std::string copy = folder_ / "failing";
  const auto how = {rocksdb::IOStatus::NoSpace("open"), rocksdb::IOStatus::IOError("open", "Too many open files")};
  for (const rocksdb::IOStatus& error : how) {
    for (const bool cut_log : {false, true}) {
      int nth = 0;
      for (bool came_true = true; came_true;) {
        ++nth;
        SCOPED_TRACE(error.ToString() + " at call " + std::to_string(nth) + (cut_log ? ", cutting" : ""));
        ASSERT_LT(nth, 200);
        fs::remove_all(copy);
        fs::copy(path_, copy);
        auto files = std::make_shared<FailsOnce>(nth, error);
        RocksStoreOptions options = Options(copy);
        options.cut_log = cut_log;
        options.file_system = files;
        const absl::Status status = RocksStore::Open(options).status();
        came_true = files->calls() >= nth;
        EXPECT_FALSE(absl::IsDataLoss(status) || absl::IsNotFound(status) || absl::IsInvalidArgument(status)) << status;
        options.file_system = nullptr;
        options.cut_log = false;
        const auto store = RocksStore::Open(options);
        ASSERT_TRUE(store.ok()) << store.status();
        EXPECT_EQ((*store)->torn_end(), "");
        for (int i = 0; i < 120; ++i)
          EXPECT_TRUE((*store)->Get(Family::kQueues, "row" + std::to_string(i)).value_or(std::nullopt)) << i;
      }
      EXPECT_GT(nth, 20);
    }
  }
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
  int refused = 0, between = 0;
  for (std::size_t cut = 20; cut < good.size(); ++cut) {
    WriteAll(list, good.substr(0, cut));
    const bool whole = End(list).kind == LogEnd::kWhole;
    if (!whole && cut % 5 != 0) continue;
    const auto folder = DataFolder::Open(options);
    if (folder.ok()) break;  // so little is missing from the list that it names all tables
    ++refused;
    between += whole ? 1 : 0;
    ASSERT_EQ(tables(), before) << "cut at " << cut << ": " << folder.status();
  }
  EXPECT_GT(refused, 20);
  EXPECT_GT(between, 2) << "cut between two records, where the list looks whole";
}

}  // namespace
}  // namespace smsflow::storage
