// A damaged folder, and the copy that is made of it: whole up to the high-water mark, or refused.
#include "storage/repair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "storage/epoch.h"
#include "storage/journal.h"
#include "storage/records.h"
#include "tests/storage/temporary_folder.h"
#include "tests/storage/whole_files.h"

namespace smsflow::storage {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr ShardId kShard{3};
constexpr std::uint64_t kMarked = 20, kAll = 30;

class RepairTest : public testing::Test {
 protected:
  // kAll records, of which kMarked are below the mark; as the disk was in that moment.
  RepairTest() {
    DataFolderOptions options = Options(folder_ / "made");
    options.shards = 8;
    auto folder = DataFolder::Open(options);
    EXPECT_TRUE(folder.ok()) << folder.status();
    ChainHead head;
    for (std::uint64_t i = 1; i <= kAll; ++i) {
      Batch batch;
      AppendJournal(batch, kShard, head, 0, InstanceId::Make(1, kShard, i), std::string(100, 'b'));
      EXPECT_TRUE((*folder)->store().Write(batch, Sync::kYes).ok());
      if (i != kMarked) continue;
      (*folder)->high_water().Note(kShard, {0, i});
      EXPECT_TRUE((*folder)->high_water().Save().ok());
      log_marked_ = fs::file_size(Log(options.path));
    }
    fs::copy(options.path, damaged_, fs::copy_options::recursive);
    fs::copy_file(options.path + ".key", damaged_ + ".key");
  }

  static DataFolderOptions Options(const std::string& path) {
    DataFolderOptions options;
    options.path = path;
    options.ballast_bytes = 0;
    options.memtable_bytes = options.block_cache_bytes = 1 << 20;
    return options;
  }
  static fs::path Log(const fs::path& folder) {
    fs::path found;
    for (const auto& file : fs::directory_iterator(folder / "db"))
      if (file.path().extension() == ".log" && fs::file_size(file) > 0) found = file.path();
    return found;
  }
  absl::StatusOr<RepairedCopy> Repair() {
    fs::remove_all(copy_);
    fs::remove_all(copy_ + ".unfinished");
    return RepairCopy(Options(damaged_), copy_);
  }
  // Up to which record the chain holds.
  static std::uint64_t Whole(const Store& store) {
    ChainHead head;
    while (true) {
      const auto record = GetJournal(store, kShard, head.sequence + 1);
      if (!record.ok() || !*record || (*record)->header.chain != ChainAfter(head.chain, (*record)->header))
        return head.sequence;
      head = {head.sequence + 1, (*record)->header.chain};
    }
  }

  TemporaryFolder folder_;
  const std::string damaged_ = folder_ / "data";
  const std::string copy_ = folder_ / "copy";
  std::uintmax_t log_marked_ = 0;  // the log's size when the mark was saved
};

TEST_F(RepairTest, AFolderThatIsWholeIsOnlyCopied) {
  auto copy = Repair();
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ(copy->by, RepairedBy::kNothing);
  EXPECT_EQ(Whole(copy->folder->store()), kAll);
  EXPECT_EQ(copy->folder->high_water().AtOpen(kShard), (HighWaterMark{0, kMarked}));
}

// Wherever a byte of the log changed: what comes out has all below the mark, or it is refused; never less in silence.
TEST_F(RepairTest, ADamagedLogIsCutOnlyAboveTheMark) {
  const fs::path log = Log(damaged_);
  const std::string good = ReadAll(log);
  int mended = 0, refused = 0;
  for (std::size_t at = 0; at < good.size(); at += 173) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x20);
    WriteAll(log, bad);
    const auto copy = Repair();
    if (at >= log_marked_) {
      ASSERT_TRUE(copy.ok()) << at << ": " << copy.status();
      ++mended;
    }
    if (copy.ok()) {
      EXPECT_GE(Whole(copy->folder->store()), kMarked) << at;
    } else {
      ++refused;
      EXPECT_TRUE(absl::IsDataLoss(copy.status())) << at << ": " << copy.status();
      EXPECT_FALSE(fs::exists(copy_)) << "nothing is left that could be mistaken for a repaired folder";
    }
  }
  EXPECT_GT(mended, 3);
  EXPECT_GT(refused, 5);
  EXPECT_EQ(ReadAll(log).size(), good.size()) << "the original is only read";
}

// The last row that was acknowledged is of no journal, and the log ends before it.
TEST_F(RepairTest, WithoutARowOfNoJournalItIsNotWhole) {
  {
    const auto folder = DataFolder::Open(Options(folder_ / "made"));
    ASSERT_TRUE(folder.ok()) << folder.status();
    Batch batch;
    batch.Put(Family::kIndexes, "paused", std::string(300, 'p'));
    ASSERT_TRUE((*folder)->store().Write(batch, Sync::kYes).ok());
    ASSERT_TRUE((*folder)->high_water().Save().ok());
    fs::remove_all(damaged_);
    fs::copy(folder_ / "made", damaged_, fs::copy_options::recursive);
  }
  for (const bool list_lost : {false, true}) {
    if (list_lost)
      for (const auto& file : fs::directory_iterator(fs::path(damaged_) / "db"))
        if (file.path().filename().string().starts_with("MANIFEST-")) fs::remove(file.path());
    const std::string good = ReadAll(Log(damaged_));
    WriteAll(Log(damaged_), good.substr(0, good.size() - 1));
    const auto copy = Repair();
    EXPECT_TRUE(absl::IsDataLoss(copy.status())) << list_lost << ": " << copy.status();
    EXPECT_THAT(std::string(copy.status().message()), testing::HasSubstr("acknowledged data is missing"));
    WriteAll(Log(damaged_), good);
    const auto whole = Repair();
    ASSERT_TRUE(whole.ok()) << list_lost << ": " << whole.status();
    EXPECT_EQ(Whole(whole->folder->store()), kAll);
    // Rows are counted from the beginning there, and the marks go on with it.
    ASSERT_TRUE(whole->folder->high_water().Save().ok());
  }
}

// From the log alone, and from tables that a compaction wrote.
TEST_F(RepairTest, ALostListOfTablesCostsNothing) {
  const std::string logged = folder_ / "logged";
  fs::copy(damaged_, logged, fs::copy_options::recursive);
  for (const bool compacted : {false, true}) {
    fs::remove_all(damaged_);
    fs::copy(logged, damaged_, fs::copy_options::recursive);
    if (compacted) {
      const auto folder = DataFolder::Open(Options(damaged_));
      ASSERT_TRUE(folder.ok()) << folder.status();
      ASSERT_TRUE((*folder)->Compact().ok());
    }
    for (const auto& file : fs::directory_iterator(fs::path(damaged_) / "db")) {
      const std::string name = file.path().filename().string();
      if (name == "CURRENT" || name.starts_with("MANIFEST-")) fs::remove(file.path());
    }
    EXPECT_FALSE(DataFolder::Open(Options(damaged_)).ok());
    const auto copy = Repair();
    ASSERT_TRUE(copy.ok()) << copy.status();
    EXPECT_EQ(copy->by, RepairedBy::kMakingAnew);
    EXPECT_EQ(Whole(copy->folder->store()), kAll);
    EXPECT_FALSE(copy->has_last_row) << "a table of rows that no journal speaks of may be gone with the list";
  }
}

// Whichever bit of it: the tables and the log still have every row.
TEST_F(RepairTest, ADamagedListOfTablesCostsNothing) {
  {
    const auto folder = DataFolder::Open(Options(damaged_));
    ASSERT_TRUE(folder.ok()) << folder.status();
    ASSERT_TRUE((*folder)->Compact().ok());
  }
  fs::path list;
  for (const auto& file : fs::directory_iterator(fs::path(damaged_) / "db"))
    if (file.path().filename().string().starts_with("MANIFEST-")) list = file.path();
  const std::string good = ReadAll(list);
  int anew = 0;
  for (std::size_t at = 0; at < good.size(); at += 29) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
    WriteAll(list, bad);
    const auto copy = Repair();
    ASSERT_TRUE(copy.ok()) << at << " of " << good.size() << ": " << copy.status();
    EXPECT_EQ(Whole(copy->folder->store()), kAll) << at;
    anew += copy->by == RepairedBy::kMakingAnew ? 1 : 0;
  }
  EXPECT_GT(anew, 10);
}

// One line that says which file is the list: no bit of it is worth a restore.
TEST_F(RepairTest, ADamagedNameOfTheListOfTablesCostsNothing) {
  const fs::path current = fs::path(damaged_) / "db" / "CURRENT";
  const std::string good = ReadAll(current);
  ASSERT_THAT(good, testing::StartsWith("MANIFEST-"));
  for (std::size_t at = 0; at < good.size(); at += 4) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << at % 8));
    WriteAll(current, bad);
    EXPECT_FALSE(DataFolder::Open(Options(damaged_)).ok()) << at;
    const auto copy = Repair();
    ASSERT_TRUE(copy.ok()) << at << ": " << copy.status();
    EXPECT_EQ(copy->by, RepairedBy::kNamingTheList) << at;
    EXPECT_EQ(Whole(copy->folder->store()), kAll) << at;
  }
  fs::remove(current);
  const auto copy = Repair();
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ(copy->by, RepairedBy::kNamingTheList);
  EXPECT_EQ(Whole(copy->folder->store()), kAll);
}

// As a power cut leaves it that finds a change of the list on its way: its length is there, its bytes are not.
TEST_F(RepairTest, AHoleAtTheEndOfTheListOfTablesCostsNothing) {
  fs::path list;
  for (const auto& file : fs::directory_iterator(fs::path(damaged_) / "db"))
    if (file.path().filename().string().starts_with("MANIFEST-")) list = file.path();
  const std::string good = ReadAll(list);
  WriteAll(list, good + std::string("\x35\xf1\x5b\x2b\x7a\x00\x01", 7) + std::string(0x7a, '\0'));
  EXPECT_FALSE(DataFolder::Open(Options(damaged_)).ok());
  const auto copy = Repair();
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ(copy->by, RepairedBy::kMakingAnew);
  EXPECT_EQ(Whole(copy->folder->store()), kAll);
}

// The list says so, and nothing else would: its rows may be such as are missed by nobody who looks through the copy.
TEST_F(RepairTest, ATableThatIsGoneOrCutIsNotDoneWithout) {
  {
    const auto folder = DataFolder::Open(Options(damaged_));
    ASSERT_TRUE(folder.ok()) << folder.status();
    Batch batch;
    batch.Put(Family::kIndexes, "a row that nothing else speaks of", "v");
    ASSERT_TRUE((*folder)->store().Write(batch, Sync::kYes).ok());
    ASSERT_TRUE((*folder)->Compact().ok());
  }
  int tables = 0;
  const std::string whole = folder_ / "whole";
  fs::copy(damaged_, whole, fs::copy_options::recursive);
  for (const auto& file : fs::directory_iterator(fs::path(whole) / "db")) {
    if (file.path().extension() != ".sst") continue;
    ++tables;
    const std::string good = ReadAll(file.path());
    const fs::path table = fs::path(damaged_) / "db" / file.path().filename();
    for (const std::string& left : {std::string(), good.substr(0, good.size() - 9), good.substr(0, good.size() / 2)}) {
      if (left.empty()) {
        fs::remove(table);
      } else {
        WriteAll(table, left);
      }
      const auto copy = Repair();
      EXPECT_TRUE(absl::IsDataLoss(copy.status())) << copy.status();
    }
    WriteAll(table, good);
  }
  EXPECT_GE(tables, 2);
  EXPECT_TRUE(Repair().ok());
}

// What gateways and clients saw of the old epoch is below all of the new one, also where the copy has fewer records.
TEST_F(RepairTest, ACopyBeginsANewEpochInWhichNothingLeaves) {
  const fs::path log = Log(damaged_);
  std::string bad = ReadAll(log);
  bad[log_marked_ + 100] = static_cast<char>(bad[log_marked_ + 100] ^ 1);
  WriteAll(log, bad);
  DataFolderOptions options = Options(damaged_);
  for (std::uint64_t epoch = 2; epoch < 4; ++epoch) {
    options.now_ms = static_cast<std::int64_t>(epoch);
    const std::string place = folder_ / absl::StrCat("copy", epoch);
    auto copy = RepairCopy(options, place);
    ASSERT_TRUE(copy.ok()) << copy.status();
    ASSERT_TRUE(KeepCopy(*std::move(copy), place).ok());
    fs::copy_file(damaged_ + ".key", place + ".key");
    options.path = place;
    const auto folder = DataFolder::Open(options);
    ASSERT_TRUE(folder.ok()) << folder.status();
    const Store& store = (*folder)->store();
    const std::uint64_t whole = Whole(store);
    EXPECT_LT(whole, kAll);
    EXPECT_EQ((*folder)->high_water().AtOpen(kShard), (HighWaterMark{epoch, whole}));
    EXPECT_EQ(*EpochOf(store), epoch);
    for (std::uint16_t i = 0; i < (*folder)->shards(); ++i) {
      EXPECT_EQ((**GetMarks(store, ShardId{i})).epoch(), epoch) << i;
      const auto row =
          store.Get(Family::kIndexes, PauseKey(ShardId{i}, PauseScope::kAll, (*folder)->index_keys().Pause("", "")));
      ASSERT_TRUE(row.ok() && row->has_value()) << i;
      EXPECT_EQ(DecodePause(**row)->since_ms(), options.now_ms);
      EXPECT_EQ(DecodePause(**row)->reason().find("it was paused before") != std::string::npos, epoch == 3);
    }
  }
}

TEST_F(RepairTest, WhatWasNotKeptIsNoFolder) {
  { ASSERT_TRUE(Repair().ok()); }  // and there it ended
  EXPECT_FALSE(fs::exists(copy_));
  const absl::Status left = RepairCopy(Options(damaged_), copy_).status();
  EXPECT_TRUE(absl::IsAlreadyExists(left)) << left;
  EXPECT_THAT(std::string(left.message()), HasSubstr("a repair leaves it that was interrupted"));
  const absl::Status itself = RepairCopy(Options(copy_ + ".unfinished"), copy_).status();
  EXPECT_TRUE(absl::IsAlreadyExists(itself)) << itself;
  EXPECT_TRUE(fs::exists(copy_ + ".unfinished/db")) << "nothing is removed unasked";
  fs::remove_all(copy_ + ".unfinished");
  auto copy = RepairCopy(Options(damaged_ + "/"), copy_ + "/");
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_FALSE(fs::exists(copy_));
  ASSERT_TRUE(KeepCopy(*std::move(copy), copy_ + "/").ok());
  DataFolderOptions options = Options(copy_);
  options.index_key_path = damaged_ + ".key";
  const auto kept = DataFolder::Open(options);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(Whole((*kept)->store()), kAll);
}

TEST_F(RepairTest, WhatWasAcknowledgedIsNotToldWithoutItsMark) {
  WriteAll(fs::path(damaged_) / "high-water", "");
  EXPECT_THAT(std::string(Repair().status().message()), HasSubstr("what was acknowledged is not known"));
}

TEST_F(RepairTest, RefusesAFolderInUseAndATargetThatIsThere) {
  EXPECT_TRUE(absl::IsAlreadyExists(RepairCopy(Options(damaged_), damaged_).status()));
  EXPECT_TRUE(absl::IsNotFound(RepairCopy(Options(folder_ / "nothing"), copy_).status()));
  const auto open = DataFolder::Open(Options(damaged_));
  ASSERT_TRUE(open.ok()) << open.status();
  EXPECT_TRUE(absl::IsFailedPrecondition(Repair().status()));
  EXPECT_FALSE(fs::exists(copy_));
}

}  // namespace
}  // namespace smsflow::storage
