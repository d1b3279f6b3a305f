// Both stores behave alike: every test runs on both, and random batches end in equal rows.
#include "storage/store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "rocksdb/file_system.h"
#include "storage/keys.h"
#include "storage/memory_store.h"
#include "storage/rocks_store.h"
#include "tests/storage/temporary_folder.h"

namespace smsflow::storage {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

Rows Read(const Store& store, Family family, std::string_view from = "", std::string_view till = "",
          bool reverse = false) {
  Rows rows;
  const auto cursor = store.Scan(family, from, till, reverse);
  for (; cursor->Valid(); cursor->Next()) rows.emplace_back(cursor->key(), cursor->value());
  EXPECT_TRUE(cursor->status().ok()) << cursor->status();
  return rows;
}

RocksStoreOptions SmallOptions(const std::string& path) {
  RocksStoreOptions options;
  options.path = path;
  options.memtable_bytes = 1 << 20;
  options.block_cache_bytes = 1 << 20;
  return options;
}

class StoreTest : public testing::TestWithParam<bool> {
 protected:
  StoreTest() {
    if (GetParam()) {
      store_ = std::make_unique<MemoryStore>();
      return;
    }
    auto opened = RocksStore::Open(SmallOptions(folder_ / "db"));
    EXPECT_TRUE(opened.ok()) << opened.status();
    if (opened.ok()) store_ = std::move(*opened);
  }
  void Put(std::initializer_list<std::pair<std::string, std::string>> rows, Family family = Family::kQueues) {
    Batch batch;
    for (const auto& [key, value] : rows) batch.Put(family, key, value);
    ASSERT_TRUE(store_->Write(batch, Sync::kNo).ok());
  }

  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Both, StoreTest, testing::Bool(),
                         [](const auto& which) { return which.param ? "Memory" : "Rocks"; });

// Found by the demo: an insertion hint of the rows was used among the deleted ranges, and the memtable broke.
TEST_P(StoreTest, RowsOfAShardThatAreDeletedInRangesAndWrittenOn) {
  constexpr std::uint64_t kRowsEach = 50;
  for (std::uint64_t round = 0; round < 40; ++round) {
    Batch batch;
    for (std::uint64_t i = round * kRowsEach; i < (round + 1) * kRowsEach; ++i)
      batch.Put(Family::kQueues, OutboxKey(ShardId{3}, i), "row");
    batch.DeleteRange(Family::kQueues, OutboxKey(ShardId{3}, 0), OutboxKey(ShardId{3}, round * kRowsEach + 10));
    ASSERT_TRUE(store_->Write(batch, Sync::kNo).ok());
    const Rows rows = Read(*store_, Family::kQueues);
    ASSERT_EQ(rows.size(), kRowsEach - 10) << "round " << round;
    EXPECT_EQ(rows.front().first, OutboxKey(ShardId{3}, round * kRowsEach + 10).view());
  }
}

TEST_P(StoreTest, GivesBackWhatWasPutAndNothingElse) {
  Put({{"a", "1"}, {"b", ""}});
  EXPECT_EQ(*store_->Get(Family::kQueues, "a"), "1");
  EXPECT_EQ(*store_->Get(Family::kQueues, "b"), "");
  EXPECT_EQ(*store_->Get(Family::kQueues, "c"), std::nullopt);
  EXPECT_EQ(*store_->Get(Family::kIndexes, "a"), std::nullopt) << "families are apart";
}

TEST_P(StoreTest, ScansStayWithinTheirBoundsInBothDirections) {
  Put({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
  EXPECT_EQ(Read(*store_, Family::kQueues, "b", "d"), (Rows{{"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(Read(*store_, Family::kQueues, "b", "d", true), (Rows{{"c", "3"}, {"b", "2"}}));
  EXPECT_EQ(Read(*store_, Family::kQueues, "bb", "c").size(), 0U);
  EXPECT_EQ(Read(*store_, Family::kQueues, "c", "", true), (Rows{{"d", "4"}, {"c", "3"}}));
}

TEST_P(StoreTest, ACursorSeesTheStoreAsItWasWhenMade) {
  Put({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  const auto cursor = store_->Scan(Family::kQueues, "a", "z");
  Batch batch;
  batch.Put(Family::kQueues, "b", "changed");
  batch.Delete(Family::kQueues, "c");
  batch.Put(Family::kQueues, "d", "new");
  ASSERT_TRUE(store_->Write(batch, Sync::kNo).ok());
  Rows seen;
  for (; cursor->Valid(); cursor->Next()) seen.emplace_back(cursor->key(), cursor->value());
  EXPECT_EQ(seen, (Rows{{"a", "1"}, {"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(Read(*store_, Family::kQueues), (Rows{{"a", "1"}, {"b", "changed"}, {"d", "new"}}));
}

TEST_P(StoreTest, AFrozenViewShowsOneMoment) {
  Put({{"a", "1"}, {"b", "2"}});
  const auto view = store_->Frozen();
  Put({{"a", "changed"}, {"c", "3"}});
  {
    const auto later = store_->Frozen();
    EXPECT_EQ(*later->Get(Family::kQueues, "a"), "changed");
  }
  EXPECT_EQ(*view->Get(Family::kQueues, "a"), "1");
  EXPECT_EQ(*view->Get(Family::kQueues, "c"), std::nullopt);
  EXPECT_EQ(Read(*view, Family::kQueues), (Rows{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(Read(*view, Family::kQueues, "", "", true), (Rows{{"b", "2"}, {"a", "1"}}));
  EXPECT_EQ(view->Write(Batch(), Sync::kNo).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(*store_->Get(Family::kQueues, "a"), "changed");
}

TEST_P(StoreTest, OperationsOfABatchCountInTheirOrder) {
  Put({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  Batch batch;
  batch.DeleteRange(Family::kQueues, "a", "c");
  batch.Put(Family::kQueues, "b", "after");
  batch.Put(Family::kQueues, "c", "x");
  batch.Delete(Family::kQueues, "c");
  EXPECT_EQ(batch.operations(), 5U);  // a range is two: its first key goes by itself
  ASSERT_TRUE(store_->Write(batch, Sync::kYes).ok());
  EXPECT_EQ(Read(*store_, Family::kQueues), (Rows{{"b", "after"}}));
  batch.Clear();
  EXPECT_EQ(batch.operations(), 0U);
}

// Random batches of all operations on a small space of keys, with cursors opened now and then and read later.
TEST(Stores, AreEqualUnderRandomBatches) {
  TemporaryFolder folder;
  auto rocks = RocksStore::Open(SmallOptions(folder / "db"));
  ASSERT_TRUE(rocks.ok()) << rocks.status();
  MemoryStore memory;
  std::mt19937_64 random(20261121);
  const auto key = [&] {
    return std::string(1, static_cast<char>('a' + random() % 26)) + std::to_string(random() % 8);
  };
  const auto family = [&] { return static_cast<Family>(random() % kFamilies); };
  std::unique_ptr<Cursor> on_rocks, on_memory;
  for (int round = 0; round < 1500; ++round) {
    Batch batch;
    for (std::uint64_t i = random() % 12; i > 0; --i) {
      const std::uint64_t what = random() % 10;
      auto from = key(), till = key();
      if (from > till) std::swap(from, till);
      if (what < 6)
        batch.Put(family(), from, std::to_string(random() % 1000));
      else if (what < 9)
        batch.Delete(family(), from);
      else
        batch.DeleteRange(family(), from, till);
    }
    ASSERT_TRUE((*rocks)->Write(batch, Sync::kNo).ok());
    ASSERT_TRUE(memory.Write(batch, Sync::kNo).ok());
    const auto which = family();
    const auto from = key(), till = key();
    const bool reverse = random() % 2 == 0;
    if (round % 7 == 0 && from < till) {
      on_rocks = (*rocks)->Scan(which, from, till, reverse);
      on_memory = memory.Scan(which, from, till, reverse);
    }
    for (int step = 0; on_rocks && step < 3; ++step) {
      ASSERT_EQ(on_rocks->Valid(), on_memory->Valid()) << "round " << round;
      if (!on_rocks->Valid()) break;
      ASSERT_EQ(on_rocks->key(), on_memory->key()) << "round " << round;
      ASSERT_EQ(on_rocks->value(), on_memory->value()) << "round " << round;
      on_rocks->Next();
      on_memory->Next();
    }
    ASSERT_EQ(*(*rocks)->Get(which, from), *memory.Get(which, from)) << "round " << round;
    ASSERT_EQ(Read(**rocks, which), Read(memory, which)) << "round " << round;
    ASSERT_EQ(Read(**rocks, which, std::min(from, till), std::max(from, till), true),
              Read(memory, which, std::min(from, till), std::max(from, till), true));
  }
}

TEST(MemoryStore, LosesAtAPowerCutWhatWasNotSynced) {
  MemoryStore store;
  const auto put = [&](const std::string& key, const std::string& value, Sync sync) {
    Batch batch;
    batch.Put(Family::kQueues, key, value);
    ASSERT_TRUE(store.Write(batch, sync).ok());
  };
  put("a", "1", Sync::kNo);
  put("b", "1", Sync::kYes);  // takes `a` with it: one log
  put("a", "2", Sync::kNo);
  put("c", "1", Sync::kNo);
  EXPECT_EQ(store.unsynced(), 2U);
  store.Crash(1);
  EXPECT_EQ(Read(store, Family::kQueues), (Rows{{"a", "2"}, {"b", "1"}}));
  EXPECT_EQ(store.unsynced(), 0U);
  put("a", "3", Sync::kNo);
  Batch batch;
  batch.DeleteRange(Family::kQueues, "a", "z");
  batch.Put(Family::kQueues, "a", "4");
  ASSERT_TRUE(store.Write(batch, Sync::kNo).ok());
  store.Crash();
  EXPECT_EQ(Read(store, Family::kQueues), (Rows{{"a", "2"}, {"b", "1"}}));
  EXPECT_EQ(store.rows(Family::kQueues), 2U);
}

TEST(RocksStore, KeepsWhatWasWrittenAndIsNotChangedByReaders) {
  TemporaryFolder folder;
  Batch batch;
  batch.Put(Family::kJournal, "key", "value");
  {
    auto store = RocksStore::Open(SmallOptions(folder / "db"));
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE((*store)->Write(batch, Sync::kYes).ok());
    ASSERT_TRUE((*store)->Compact().ok());
    EXPECT_GT((*store)->UsedBytes(), 0U);
  }
  const auto listing = [&] {
    std::vector<std::pair<std::string, std::uintmax_t>> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "db"))
      files.emplace_back(entry.path(), entry.file_size());
    std::sort(files.begin(), files.end());
    return files;
  };
  const auto before = listing();
  auto options = SmallOptions(folder / "db");
  options.read_only = true;
  {
    auto store = RocksStore::Open(options);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ(*(*store)->Get(Family::kJournal, "key"), "value");
    EXPECT_EQ((*store)->Write(batch, Sync::kYes).code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(listing(), before);
}

// From the next table on there is no room.
class NoRoom final : public rocksdb::FileSystemWrapper {
 public:
  NoRoom() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "no-room"; }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override {
    if (path.ends_with(".sst") && tables_left-- <= 0) return rocksdb::IOStatus::NoSpace("full");
    return target()->NewWritableFile(path, options, result, debug);
  }
  std::atomic<int> tables_left{1'000};
};

// Nothing is lost by it: what was to become one table stays in those there are. So reports and cancels are taken on.
TEST(RocksStore, GoesOnAfterACompactionThatFoundNoRoomAndCompactsOnceThereIs) {
  TemporaryFolder folder;
  auto options = SmallOptions(folder / "db");
  const auto disk = std::make_shared<NoRoom>();
  options.file_system = disk;
  const auto put = [](Store& store, const std::string& key) {
    Batch batch;
    batch.Put(Family::kJournal, key, "value");
    return store.Write(batch, Sync::kYes);
  };
  {
    auto store = RocksStore::Open(options);
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE(put(**store, "a").ok());
    ASSERT_TRUE((*store)->Compact().ok());
    ASSERT_TRUE(put(**store, "b").ok());
    disk->tables_left = 1;  // of the flush
    ASSERT_FALSE((*store)->Compact().ok());
    EXPECT_TRUE(put(**store, "c").ok()) << "there is still no room for tables";
    disk->tables_left = 1'000;
    const absl::Status compacted = (*store)->Compact();
    EXPECT_TRUE(compacted.ok()) << compacted;
    EXPECT_TRUE(put(**store, "d").ok());
  }
  auto store = RocksStore::Open(options);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(Read(**store, Family::kJournal), (Rows{{"a", "value"}, {"b", "value"}, {"c", "value"}, {"d", "value"}}));
}

TEST(PrefixEnd, IsTheFirstKeyAfterThePrefix) {
  EXPECT_EQ(PrefixEnd("ab"), "ac");
  EXPECT_EQ(PrefixEnd("a\xff"), "b");
  EXPECT_EQ(PrefixEnd("\xff\xff"), "");
}

}  // namespace
}  // namespace smsflow::storage
