// A store whose list of tables is gone, made anew: the same rows, whatever levels they lay in; or refused, never
// others.
#include "storage/salvage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "storage/deleted_ranges.h"
#include "storage/memory_store.h"
#include "tests/storage/temporary_folder.h"
#include "tests/storage/whole_files.h"

namespace smsflow::storage {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Rows = std::vector<std::pair<std::string, std::string>>;

std::array<Rows, kFamilies> AllRows(const Store& store) {
  std::array<Rows, kFamilies> all;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    const auto rows = store.Scan(static_cast<Family>(i), {}, {});
    for (; rows->Valid(); rows->Next()) all[i].emplace_back(rows->key(), rows->value());
    EXPECT_TRUE(rows->status().ok()) << rows->status();
  }
  return all;
}

std::vector<fs::path> Files(const std::string& folder, const std::string& extension) {
  std::vector<fs::path> found;
  for (const auto& file : fs::directory_iterator(folder))
    if (file.path().extension() == extension) found.push_back(file.path());
  std::sort(found.begin(), found.end());
  return found;
}

class SalvageTest : public testing::Test {
 protected:
  static RocksStoreOptions Options(const std::string& path) {
    RocksStoreOptions options;
    options.path = path;
    options.memtable_bytes = 64 << 10;  // many tables of few rows
    options.block_cache_bytes = 1 << 20;
    return options;
  }

  // Writes to both stores what the engine writes too: rows that come, change and go, alone and in ranges.
  void Fill(RocksStore& store, int batches) {
    for (int i = 0; i < batches; ++i) {
      Batch batch;
      for (int n = 0; n < 8; ++n) Operate(batch);
      ASSERT_TRUE(store.Write(batch, Sync::kNo).ok());
      ASSERT_TRUE(expected_->Write(batch, Sync::kNo).ok());
      if (random_() % 300 == 0) frozen_ = store.Frozen();  // keeps older versions in the tables
      if (random_() % 500 == 0) frozen_.reset();
    }
    frozen_.reset();
  }
  void Operate(Batch& batch) {
    const auto family = static_cast<Family>(random_() % kFamilies);
    const std::string key = Key();
    switch (random_() % 16) {
      case 0: {
        const std::string other = Key();
        batch.DeleteRange(family, std::min(key, other), std::min(std::max(key, other), key.substr(0, 3) + "~"));
        return;
      }
      case 1:
      case 2:
      case 3:
        return batch.Delete(family, key);
      default:
        return batch.Put(family, key, std::string(60 + random_() % 300, static_cast<char>('a' + random_() % 26)));
    }
  }
  std::string Key() { return "k" + std::to_string(random_() % 4000); }

  // A store with tables in several levels, ranges deleted over them, and a log; then what lists its tables goes.
  void MakeDamaged() {
    {
      auto store = RocksStore::Open(Options(path_));
      ASSERT_TRUE(store.ok()) << store.status();
      Fill(**store, 1500);
      if (random_() % 2 == 0) {
        ASSERT_TRUE((*store)->Compact().ok());
      }
      Fill(**store, 1500);
    }
    LoseList();
  }
  void LoseList() {
    for (const auto& file : fs::directory_iterator(path_)) {
      const std::string name = file.path().filename().string();
      if (name == "CURRENT" || name.starts_with("MANIFEST-")) fs::remove(file.path());
    }
  }
  std::string MakeCopy() const {
    const std::string copy = folder_ / "copy";
    fs::remove_all(copy);
    fs::copy(path_, copy, fs::copy_options::recursive);
    return copy;
  }
  absl::StatusOr<std::array<Rows, kFamilies>> Salvaged(const std::string& path) const {
    if (const auto made = MakeAnew(Options(path), 0); !made.ok()) return made.status();
    const auto store = RocksStore::Open(Options(path));
    if (!store.ok()) return store.status();
    return AllRows(**store);
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_ / "db";
  std::mt19937_64 random_{1};
  std::unique_ptr<MemoryStore> expected_ = std::make_unique<MemoryStore>();
  std::unique_ptr<Store> frozen_;
};

TEST_F(SalvageTest, EveryRowComesBackAsItWas) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    random_.seed(seed);
    expected_ = std::make_unique<MemoryStore>();
    fs::remove_all(path_);
    MakeDamaged();
    ASSERT_GT(Files(path_, ".sst").size(), 10U);
    const auto rows = Salvaged(MakeCopy());
    ASSERT_TRUE(rows.ok()) << "seed " << seed << ": " << rows.status();
    const auto expected = AllRows(*expected_);
    for (std::size_t i = 0; i < kFamilies; ++i) {
      EXPECT_GT(expected[i].size(), 30U);
      EXPECT_TRUE((*rows)[i] == expected[i])
          << "seed " << seed << ", family " << i << ": " << (*rows)[i].size() << " rows, not " << expected[i].size();
    }
  }
}

// Only the log knows of them: no table names the family.
TEST_F(SalvageTest, RowsThatNoTableHasYetComeFromTheLog) {
  {
    auto store = RocksStore::Open(Options(path_));
    ASSERT_TRUE(store.ok()) << store.status();
    Fill(**store, 20);
  }
  ASSERT_TRUE(Files(path_, ".sst").empty());
  LoseList();
  const auto rows = Salvaged(path_);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_TRUE(*rows == AllRows(*expected_));
}

// What a table deletes in ranges goes even when all that it holds is that.
TEST_F(SalvageTest, ATableOfDeletionsAloneDeletes) {
  {
    auto store = RocksStore::Open(Options(path_));
    ASSERT_TRUE(store.ok()) << store.status();
    Fill(**store, 200);
    ASSERT_TRUE((*store)->Compact().ok());
    const auto frozen = (*store)->Frozen();  // so that the compaction must keep what is deleted
    Batch batch;
    batch.DeleteRange(Family::kQueues, "k1", "k3");
    ASSERT_TRUE((*store)->Write(batch, Sync::kNo).ok());
    ASSERT_TRUE(expected_->Write(batch, Sync::kNo).ok());
    ASSERT_TRUE((*store)->Compact().ok());
  }
  LoseList();
  const auto rows = Salvaged(path_);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_TRUE(*rows == AllRows(*expected_));
}

// A compaction took the numbers of both, and a crash kept what it had read from being deleted.
TEST_F(SalvageTest, OfTwoRowsWithoutANumberTheOneInTheLaterTableCounts) {
  fs::path before;
  std::string was;
  for (const std::string value : {"old", "new"}) {
    auto store = RocksStore::Open(Options(path_));
    ASSERT_TRUE(store.ok()) << store.status();
    for (int i = 0; i < 2; ++i) {
      Batch batch;
      batch.Put(Family::kIndexes, "k", value + std::to_string(i));
      ASSERT_TRUE((*store)->Write(batch, Sync::kNo).ok());
      ASSERT_TRUE(expected_->Write(batch, Sync::kNo).ok());
      ASSERT_TRUE((*store)->Compact().ok());
    }
    ASSERT_EQ(Files(path_, ".sst").size(), 1U);
    if (before.empty()) {
      before = Files(path_, ".sst").front();
      was = ReadAll(before);
    }
  }
  WriteAll(before, was);
  ASSERT_EQ(Files(path_, ".sst").size(), 2U);
  LoseList();
  const auto rows = Salvaged(path_);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_TRUE(*rows == AllRows(*expected_));
}

// The log has not a whole record, and of the rows in the tables no number is left: nothing says that one is missing.
TEST_F(SalvageTest, WhatHasNoNumberIsNotCalledMissing) {
  std::uint64_t last = 0;
  {
    auto store = RocksStore::Open(Options(path_));
    ASSERT_TRUE(store.ok()) << store.status();
    Fill(**store, 20);
    ASSERT_TRUE((*store)->Compact().ok());
    last = (*store)->LastRow();
  }
  const auto logs = Files(path_, ".log");
  ASSERT_FALSE(logs.empty());
  ASSERT_EQ(fs::file_size(logs.back()), 0U);
  WriteAll(logs.back(), std::string(20, 'x'));
  LoseList();
  const auto dropped = MakeAnew(Options(path_), last);
  ASSERT_TRUE(dropped.ok()) << dropped.status();
  EXPECT_THAT(*dropped, HasSubstr("ends within a record"));
}

// Files that a crash brought back, and the list can be read up to its last bytes: a row that changed and one that was
// deleted since stay so, though no number and no deletion is left of them.
TEST_F(SalvageTest, WhatTheListStillCallsOldIsLeftOut) {
  std::vector<std::pair<fs::path, std::string>> old;
  fs::path list;
  {
    auto store = RocksStore::Open(Options(path_));
    ASSERT_TRUE(store.ok()) << store.status();
    for (int step = 0; step < 3; ++step) {
      Batch batch;
      batch.Put(Family::kIndexes, "changed", std::to_string(step));
      if (step == 2) {
        batch.Delete(Family::kIndexes, "deleted");
      } else {
        batch.Put(Family::kIndexes, "deleted", std::to_string(step));
      }
      ASSERT_TRUE((*store)->Write(batch, Sync::kNo).ok());
      ASSERT_TRUE(expected_->Write(batch, Sync::kNo).ok());
      for (const fs::path& file : Files(path_, ".sst")) old.emplace_back(file, ReadAll(file));
      if (step < 2)  // the last one would set it right again
        for (const fs::path& file : Files(path_, ".log")) old.emplace_back(file, ReadAll(file));
      ASSERT_TRUE((*store)->Compact().ok());
    }
    for (const auto& file : fs::directory_iterator(path_))
      if (file.path().filename().string().starts_with("MANIFEST-")) list = file.path();
  }
  int back = 0;
  for (const auto& [file, bytes] : old) {
    back += fs::exists(file) ? 0 : 1;
    WriteAll(file, bytes);
  }
  EXPECT_GE(back, 3);
  WriteAll(list, ReadAll(list) + std::string(200, 'x'));
  const auto rows = Salvaged(path_);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_TRUE(*rows == AllRows(*expected_));
}

// Two that were flushed are there again, the third is not: what is behind the hole is the log that counts.
TEST_F(SalvageTest, OldLogsWithAHoleBehindThemAreLeftOut) {
  std::vector<std::pair<fs::path, std::string>> old;
  std::uint64_t last = 0;
  {
    auto store = RocksStore::Open(Options(path_));
    ASSERT_TRUE(store.ok()) << store.status();
    for (int log = 0; log < 4; ++log) {
      if (log != 0) {
        for (const fs::path& file : Files(path_, ".log"))
          if (fs::file_size(file) != 0) old.emplace_back(file, ReadAll(file));
        ASSERT_TRUE((*store)->Compact().ok());
      }
      Fill(**store, 5);
    }
    last = (*store)->LastRow();
  }
  ASSERT_EQ(old.size(), 3U);
  old.pop_back();
  for (const auto& [log, bytes] : old) {
    ASSERT_FALSE(fs::exists(log));
    WriteAll(log, bytes);
  }
  LoseList();
  const auto dropped = MakeAnew(Options(path_), last);
  ASSERT_TRUE(dropped.ok()) << dropped.status();
  EXPECT_THAT(*dropped, HasSubstr("only what is behind it counts"));
  const auto store = RocksStore::Open(Options(path_));
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE(AllRows(**store) == AllRows(*expected_));
}

// A flush or a compaction that the power cut off; its rows are elsewhere.
TEST_F(SalvageTest, ATableThatWasNotFinishedIsPassedOver) {
  MakeDamaged();
  const fs::path table = Files(path_, ".sst").front(), torn = fs::path(path_) / "900000.sst";
  fs::copy_file(table, torn);
  for (const std::uintmax_t left : {fs::file_size(table) - 9, fs::file_size(table) / 2, std::uintmax_t{0}}) {
    fs::resize_file(torn, left);
    const auto rows = Salvaged(MakeCopy());
    ASSERT_TRUE(rows.ok()) << left << ": " << rows.status();
    EXPECT_TRUE(*rows == AllRows(*expected_)) << left;
  }
}

TEST_F(SalvageTest, ADamagedTableIsRefusedOrCostsNothing) {
  MakeDamaged();
  const auto expected = AllRows(*expected_);
  int refused = 0;
  for (int i = 0; i < 24; ++i) {
    const std::string copy = MakeCopy();
    const auto tables = Files(copy, ".sst");
    const fs::path& table = tables[random_() % tables.size()];
    // Every second near its end, where index, properties and footer are.
    const std::uintmax_t size = fs::file_size(table), behind = i % 2 == 0 ? size : std::min<std::uintmax_t>(size, 1500);
    std::fstream file(table, std::ios::binary | std::ios::in | std::ios::out);
    const auto at = static_cast<std::streamoff>(size - 1 - random_() % behind);
    const char was = (file.seekg(at), static_cast<char>(file.get()));
    file.seekp(at).put(static_cast<char>(was ^ (1 << random_() % 8)));
    file.close();
    const auto rows = Salvaged(copy);
    if (rows.ok()) {
      EXPECT_TRUE(*rows == expected) << "byte " << at << " of " << size << " of " << table;
    } else {
      ++refused;
      EXPECT_TRUE(absl::IsDataLoss(rows.status())) << rows.status();
      EXPECT_THAT(std::string(rows.status().message()), HasSubstr(table.filename().string()));
    }
  }
  EXPECT_GT(refused, 5);
}

TEST(DeletedRangesTest, APropertyIsReadAsItWasWritten) {
  const std::vector<DeletedRange> ranges{
      {"a", "c", 7}, {"", std::string(300, 'x'), 1ULL << 40}, {std::string(1, '\0'), "b", 0}};
  const std::string property = EncodeDeletedRanges(ranges);
  EXPECT_EQ(*DecodeDeletedRanges(property), ranges);
  EXPECT_TRUE(DecodeDeletedRanges("")->empty());
  for (std::size_t cut = 1; cut < property.size(); ++cut) {
    const auto read = DecodeDeletedRanges(property.substr(0, cut));
    if (read.ok()) {
      EXPECT_LT(read->size(), ranges.size()) << cut;
    }
  }
  EXPECT_TRUE(absl::IsDataLoss(DecodeDeletedRanges(property + "x").status()));
}

TEST(DeletedRangesTest, TheNewestDeletionThatCoversAKeyIsFound) {
  DeletedRangesSweep sweep({{"d", "f", 9}, {"a", "e", 5}, {"a", "b", 7}});
  EXPECT_EQ(sweep.Covering("A"), 0U);
  EXPECT_EQ(sweep.Covering("a"), 7U);
  EXPECT_EQ(sweep.Covering("b"), 5U);
  EXPECT_EQ(sweep.Covering("d"), 9U);
  EXPECT_EQ(sweep.Covering("e"), 9U);
  EXPECT_EQ(sweep.Covering("f"), 0U);
}

}  // namespace
}  // namespace smsflow::storage
