// What a data folder keeps, and every refusal to open one.
#include "storage/data_folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "storage/crc32c.h"
#include "storage/index_key_file.h"
#include "storage/journal.h"
#include "storage/records.h"
#include "tests/storage/fails_once.h"
#include "tests/storage/temporary_folder.h"
#include "tests/storage/whole_files.h"

namespace smsflow::storage {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

constexpr ShardId kShard{3};

class DataFolderTest : public testing::Test {
 protected:
  DataFolderTest() {
    options_.path = folder_ / "data";
    options_.shards = 8;
    options_.ballast_bytes = 1 << 20;
    options_.memtable_bytes = 1 << 20;
    options_.block_cache_bytes = 1 << 20;
  }

  std::unique_ptr<DataFolder> MustOpen() {
    auto opened = DataFolder::Open(options_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? std::move(*opened) : nullptr;
  }
  void ExpectRefusal(StatusCode code, const std::string& words) {
    const auto opened = DataFolder::Open(options_);
    EXPECT_EQ(opened.status().code(), code) << opened.status();
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr(words));
    EXPECT_EQ(opened.status().message().find('\n'), absl::string_view::npos) << "one line";
  }
  // `count` records in the journal of kShard, each synced and noted.
  void Append(DataFolder& folder, int count, std::size_t body_size = 100) {
    auto head = FindChainHead(folder.store(), kShard);
    ASSERT_TRUE(head.ok()) << head.status();
    for (int i = 0; i < count; ++i) {
      Batch batch;
      AppendJournal(batch, kShard, *head, 0, InstanceId::Make(1, kShard, head->sequence), std::string(body_size, 'b'));
      ASSERT_TRUE(folder.store().Write(batch, Sync::kYes).ok());
      folder.high_water().Note(kShard, {0, head->sequence});
    }
  }
  std::string Path(const std::string& name) const { return options_.path + "/" + name; }

  TemporaryFolder folder_;
  DataFolderOptions options_;
};

void Flip(const std::string& path, std::size_t at) {
  std::string bytes = ReadAll(path);
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ 0x20);
  WriteAll(path, bytes);
}

TEST_F(DataFolderTest, ANewFolderHasKeyMetaMarksAndBallast) {
  std::string uuid;
  {
    const auto folder = MustOpen();
    EXPECT_TRUE(folder->created());
    EXPECT_EQ(folder->shards(), 8);
    uuid = folder->uuid();
    EXPECT_EQ(uuid.size(), 36U);
    EXPECT_GT(*folder->FreeBytes(), 0U);
  }
  struct stat info {};
  ASSERT_EQ(::stat((options_.path + ".key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(info.st_size, 32);
  ASSERT_EQ(::stat(Path("ballast").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 1 << 20);
  EXPECT_GE(info.st_blocks * 512, 1 << 20) << "its blocks are really taken";

  options_.shards = 0;
  const auto again = MustOpen();
  EXPECT_FALSE(again->created());
  EXPECT_EQ(again->shards(), 8);
  EXPECT_EQ(again->uuid(), uuid);
}

TEST_F(DataFolderTest, BallastGoesAndComesBack) {
  const auto folder = MustOpen();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(folder->ReleaseBallast().ok());
  EXPECT_FALSE(std::filesystem::exists(Path("ballast")));
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(folder->RestoreBallast().ok());
  EXPECT_EQ(std::filesystem::file_size(Path("ballast")), 1U << 20);
}

TEST_F(DataFolderTest, RefusesASecondProcess) {
  const auto folder = MustOpen();
  ExpectRefusal(StatusCode::kFailedPrecondition, "is in use by another process");
  options_.read_only = true;
  ExpectRefusal(StatusCode::kFailedPrecondition, "is in use by another process");
}

TEST_F(DataFolderTest, ReadersShareItAndKeepWritersOut) {
  { const auto folder = MustOpen(); }
  options_.read_only = true;
  options_.shards = 0;
  const auto reader = MustOpen(), another = MustOpen();
  EXPECT_EQ(reader->shards(), 8);
  EXPECT_FALSE(reader->high_water().Save().ok());
  options_.read_only = false;
  ExpectRefusal(StatusCode::kFailedPrecondition, "is in use by another process");
}

TEST_F(DataFolderTest, RefusesWhatIsNoDataFolder) {
  options_.create = false;
  ExpectRefusal(StatusCode::kNotFound, "there is no data folder");
  options_.read_only = true;
  ExpectRefusal(StatusCode::kNotFound, "there is no data folder");
  std::filesystem::create_directory(options_.path);
  ExpectRefusal(StatusCode::kNotFound, "is not a data folder of smsflow");
  options_.read_only = false;
  ExpectRefusal(StatusCode::kNotFound, "is not a data folder of smsflow");
  EXPECT_FALSE(std::filesystem::exists(options_.path + ".key")) << "no key for what was not made";
}

TEST_F(DataFolderTest, RefusesAFolderOfOtherThings) {
  std::filesystem::create_directories(Path("lost+found"));
  std::filesystem::create_directories(Path("db"));
  WriteAll(Path("notes"), "of others");
  ExpectRefusal(StatusCode::kFailedPrecondition, "is not a data folder of smsflow; name an empty one");
  EXPECT_FALSE(std::filesystem::exists(Path("LOCK-smsflow"))) << "nothing is put beside them";
  EXPECT_FALSE(std::filesystem::exists(options_.path + ".key"));
}

TEST_F(DataFolderTest, BeginsAtTheRootOfADiskAndWhereAFirstStartWasCutShort) {
  for (const char* there : {"lost+found", "LOCK-smsflow", "ballast"}) {
    options_.path = folder_ / "data-with-" + there;
    std::filesystem::create_directory(options_.path);
    if (there == std::string("lost+found"))
      std::filesystem::create_directory(Path(there));
    else
      WriteAll(Path(there), "");
    EXPECT_TRUE(MustOpen()->created()) << there;
  }
}

TEST_F(DataFolderTest, RefusesANewerFormat) {
  {
    const auto folder = MustOpen();
    auto meta = GetMeta(folder->store());
    ASSERT_TRUE(meta.ok() && *meta);
    (*meta)->set_format(2);
    Batch batch;
    PutMeta(batch, **meta);
    ASSERT_TRUE(folder->store().Write(batch, Sync::kYes).ok());
  }
  ExpectRefusal(StatusCode::kFailedPrecondition, "made by a newer smsflow: format 2, this one reads up to 1");
}

TEST_F(DataFolderTest, RefusesAMissingOrWrongOrOpenKey) {
  { const auto folder = MustOpen(); }
  const std::string key = options_.path + ".key", bytes = ReadAll(key);
  WriteAll(key, std::string(32, 'k'));
  ExpectRefusal(StatusCode::kFailedPrecondition, "is not the one that");
  WriteAll(key, bytes.substr(1));
  ExpectRefusal(StatusCode::kFailedPrecondition, "is not 32 bytes long");
  WriteAll(key, bytes);
  ASSERT_EQ(::chmod(key.c_str(), 0640), 0);
  ExpectRefusal(StatusCode::kFailedPrecondition, "can be read by others");
  ASSERT_EQ(::chmod(key.c_str(), 0600), 0);
  std::filesystem::rename(key, key + ".away");
  ExpectRefusal(StatusCode::kFailedPrecondition, "is missing");
  EXPECT_FALSE(std::filesystem::exists(key)) << "a key is made only together with a new folder";
  options_.index_key_path = key + ".away";
  EXPECT_NE(MustOpen(), nullptr);
}

// As with a disk that is not mounted: its empty mount point, or not even that.
TEST_F(DataFolderTest, RefusesToBeginAnewUnderAKeyThatIsThere) {
  options_.index_key_path = folder_ / "index.key";
  { const auto folder = MustOpen(); }
  std::filesystem::rename(options_.path, options_.path + ".away");
  ExpectRefusal(StatusCode::kFailedPrecondition, "holds no data: is its disk mounted?");
  EXPECT_FALSE(std::filesystem::exists(options_.path)) << "nothing is made";
  std::filesystem::create_directories(Path("lost+found"));
  ExpectRefusal(StatusCode::kFailedPrecondition, "holds no data: is its disk mounted?");
  EXPECT_FALSE(std::filesystem::exists(Path("LOCK-smsflow"))) << "nothing is put into it";
  options_.new_folder = true;
  EXPECT_TRUE(MustOpen()->created());
  options_.new_folder = false;
  EXPECT_FALSE(MustOpen()->created());
}

// Wherever a first start was cut short behind the making of the key, the next one goes on.
TEST_F(DataFolderTest, AFirstStartThatWasCutShortGoesOnUnderItsKey) {
  std::filesystem::create_directory(options_.path);
  WriteAll(Path("LOCK-smsflow"), "");
  ASSERT_TRUE(MakeIndexKey(options_.path + ".key").ok());
  EXPECT_TRUE(MustOpen()->created());
}

// A disk that fills up in the midst of the first start leaves no key that every later one would refuse.
TEST_F(DataFolderTest, AKeyThatFoundNoRoomIsNotThere) {
  const std::string key = folder_ / "index.key";
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit ten = before;
  ten.rlim_cur = 10;
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &ten), 0);
  const absl::Status made = MakeIndexKey(key);
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_FALSE(made.ok());
  EXPECT_EQ(ReadIndexKey(key).status().code(), StatusCode::kNotFound);
  WriteAll(key + ".new", "cut");
  EXPECT_TRUE(MakeIndexKey(key).ok());
  EXPECT_TRUE(ReadIndexKey(key).ok());
  EXPECT_EQ(MakeIndexKey(key).code(), StatusCode::kAlreadyExists);
  EXPECT_FALSE(std::filesystem::exists(key + ".new"));
}

TEST_F(DataFolderTest, RefusesAnotherShardCount) {
  { const auto folder = MustOpen(); }
  options_.shards = 16;
  ExpectRefusal(StatusCode::kFailedPrecondition, "has 8 shards, not 16");
  options_.shards = 4097;
  ExpectRefusal(StatusCode::kInvalidArgument, "at most 4096");
}

TEST_F(DataFolderTest, RefusesAMissingHighWaterFile) {
  { const auto folder = MustOpen(); }
  std::filesystem::remove(Path("high-water"));
  ExpectRefusal(StatusCode::kDataLoss, "high-water is missing");
}

TEST_F(DataFolderTest, RefusesWhenTheDatabaseIsGone) {
  {
    const auto folder = MustOpen();
    Append(*folder, 1);
    ASSERT_TRUE(folder->high_water().Save().ok());
  }
  std::filesystem::remove_all(Path("db"));
  ExpectRefusal(StatusCode::kDataLoss, "is gone");
  EXPECT_FALSE(std::filesystem::exists(Path("db")));
}

TEST_F(DataFolderTest, RefusesDataBelowItsHighWaterMark) {
  {
    const auto folder = MustOpen();
    Append(*folder, 5);
    ASSERT_TRUE(folder->high_water().Save().ok());
    Batch batch;
    batch.Delete(Family::kJournal, JournalKey(kShard, 5));
    ASSERT_TRUE(folder->store().Write(batch, Sync::kYes).ok());
  }
  ExpectRefusal(StatusCode::kDataLoss, "shard 3 ends at sequence 4 of epoch 0, but 5 of epoch 0 was acknowledged");
}

TEST_F(DataFolderTest, ANewEpochOutranksTheMarksOfTheOldOne) {
  {
    const auto folder = MustOpen();
    Append(*folder, 5);
    ASSERT_TRUE(folder->high_water().Save().ok());
    Batch batch;
    stored::ShardMarks marks;
    marks.set_epoch(1);
    PutMarks(batch, kShard, marks);
    batch.Delete(Family::kJournal, JournalKey(kShard, 5));
    ASSERT_TRUE(folder->store().Write(batch, Sync::kYes).ok());
  }
  EXPECT_NE(MustOpen(), nullptr);
}

// What RocksDB does by default: it opens, and says nothing of what came after the bad byte.
TEST_F(DataFolderTest, RefusesAFlippedByteInTheMiddleOfTheLog) {
  {
    const auto folder = MustOpen();
    Append(*folder, 400, 1000);
    ASSERT_TRUE(folder->high_water().Save().ok());
    std::filesystem::copy(options_.path, folder_ / "copy", std::filesystem::copy_options::recursive);
  }
  std::string log;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "copy/db"))
    if (entry.path().extension() == ".log" && entry.file_size() > 0) log = entry.path();
  ASSERT_GT(std::filesystem::file_size(log), 300'000U);
  options_.index_key_path = options_.path + ".key";
  options_.path = folder_ / "copy";
  std::filesystem::copy(options_.path, folder_ / "clean", std::filesystem::copy_options::recursive);
  Flip(log, 200'000);
  ExpectRefusal(StatusCode::kDataLoss, "");
  options_.path = folder_ / "clean";
  EXPECT_NE(MustOpen(), nullptr) << "without the flip it opens";
}

// It may pass by itself: a start that takes it for damage is not tried again, and one that goes on costs rows.
TEST_F(DataFolderTest, ACallThatFailsIsForTheNextStart) {
  {
    const auto folder = MustOpen();
    ASSERT_NE(folder, nullptr);
    Append(*folder, 20);
    ASSERT_TRUE(folder->high_water().Save().ok());
  }
  DataFolderOptions options = options_;
  options.path = folder_ / "copy";
  options.index_key_path = options_.path + ".key";
  const auto how = {rocksdb::IOStatus::NoSpace("open"), rocksdb::IOStatus::IOError("open", "Too many open files")};
  for (const rocksdb::IOStatus& error : how) {
    int nth = 0;
    for (bool came_true = true; came_true;) {
      ++nth;
      SCOPED_TRACE(error.ToString() + " at call " + std::to_string(nth));
      ASSERT_LT(nth, 200);
      std::filesystem::remove_all(options.path);
      std::filesystem::copy(options_.path, options.path, std::filesystem::copy_options::recursive);
      const auto files = std::make_shared<FailsOnce>(nth, error);
      options.file_system = files;
      const absl::Status status = DataFolder::Open(options).status();
      came_true = files->calls() >= nth;
      EXPECT_TRUE(status.ok() || absl::IsInternal(status) || absl::IsResourceExhausted(status)) << status;
      options.file_system = nullptr;
      const auto folder = DataFolder::Open(options);
      ASSERT_TRUE(folder.ok()) << folder.status();
      const auto head = FindChainHead((*folder)->store(), kShard);
      ASSERT_TRUE(head.ok()) << head.status();
      EXPECT_EQ(head->sequence, 20U);
    }
    EXPECT_GT(nth, 20);
  }
}

TEST_F(DataFolderTest, RefusesALogThatEndsTooEarly) {
  {
    const auto folder = MustOpen();
    Append(*folder, 100, 1000);
    ASSERT_TRUE(folder->high_water().Save().ok());
    std::filesystem::copy(options_.path, folder_ / "copy", std::filesystem::copy_options::recursive);
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "copy/db"))
    if (entry.path().extension() == ".log" && entry.file_size() > 50'000)
      std::filesystem::resize_file(entry.path(), 50'000);
  options_.index_key_path = options_.path + ".key";
  options_.path = folder_ / "copy";
  ExpectRefusal(StatusCode::kDataLoss, "acknowledged data is missing: the last row of ");
}

class HighWaterTest : public DataFolderTest {
 protected:
  std::string LogBytes() const {
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator(Path("db")))
      if (entry.path().extension() == ".log") all += ReadAll(entry.path());
    return all;
  }
  // Two slots with a mark of kShard, and none of another.
  static std::string FirstFormat(std::uint16_t shards, HighWaterMark mark) {
    std::string file;
    for (const std::uint64_t generation : {7, 8}) {
      std::string slot = "smsfl-hw";
      const auto append = [&slot](std::uint64_t value, int width) {
        for (int i = width - 1; i >= 0; --i) slot.push_back(static_cast<char>(value >> (8 * i)));
      };
      append(1, 4);
      append(generation, 8);
      append(shards, 2);
      for (std::uint16_t shard = 0; shard < shards; ++shard) {
        append(shard == kShard.value ? mark.epoch : 0, 8);
        append(shard == kShard.value ? mark.sequence : 0, 8);
      }
      append(Crc32c(slot), 4);
      slot.resize(4096, '\0');
      file += slot;
    }
    return file;
  }
};

TEST_F(HighWaterTest, KeepsTheHighestMarkOfEachShard) {
  {
    const auto folder = MustOpen();
    Append(*folder, 3);
    HighWater& marks = folder->high_water();
    marks.Note(kShard, {0, 2});  // late: marks only rise
    EXPECT_EQ(marks.Noted(kShard), (HighWaterMark{0, 3}));
    EXPECT_EQ(marks.AtOpen(kShard), HighWaterMark());
    ASSERT_TRUE(marks.Save().ok());
  }
  const auto folder = MustOpen();
  EXPECT_EQ(folder->high_water().AtOpen(kShard), (HighWaterMark{0, 3}));
  EXPECT_EQ(folder->high_water().AtOpen(ShardId{0}), HighWaterMark());
}

TEST_F(HighWaterTest, SavesNothingWhenNothingWasNoted) {
  const auto folder = MustOpen();
  Append(*folder, 1);
  ASSERT_TRUE(folder->high_water().Save().ok());
  const std::string before = ReadAll(Path("high-water"));
  ASSERT_TRUE(folder->high_water().Save().ok());
  EXPECT_EQ(ReadAll(Path("high-water")), before);
}

// The two slots alternate, so a torn write costs the newest mark and no more.
TEST_F(HighWaterTest, ATornSlotFallsBackToTheOther) {
  std::string after_one;
  {
    const auto folder = MustOpen();
    for (int i = 0; i < 3; ++i) {
      Append(*folder, 1);
      ASSERT_TRUE(folder->high_water().Save().ok());
      if (i == 1) after_one = ReadAll(Path("high-water"));
    }
  }
  const std::string whole = ReadAll(Path("high-water"));
  ASSERT_EQ(whole.size(), 2 * 4096U);
  std::size_t changed = 0;  // the slot that the last Save() wrote
  while (whole[changed] == after_one[changed]) ++changed;
  Flip(Path("high-water"), changed);
  {
    const auto folder = MustOpen();
    EXPECT_EQ(folder->high_water().AtOpen(kShard), (HighWaterMark{0, 2}));
    Append(*folder, 1);
    ASSERT_TRUE(folder->high_water().Save().ok());
  }
  EXPECT_EQ(MustOpen()->high_water().AtOpen(kShard), (HighWaterMark{0, 4})) << "the bad slot was written anew";
}

TEST_F(HighWaterTest, RefusesTwoBadSlots) {
  { const auto folder = MustOpen(); }
  Flip(Path("high-water"), 30);
  Flip(Path("high-water"), 4096 + 30);
  ExpectRefusal(StatusCode::kDataLoss, "both slots of");
  WriteAll(Path("high-water"), "");
  ExpectRefusal(StatusCode::kDataLoss, "both slots of");
}

// Laid out otherwise: neither the checksum nor the size of a slot is known.
TEST_F(HighWaterTest, RefusesAFileOfANewerFormatAsThat) {
  { const auto folder = MustOpen(); }
  std::string newer = "smsfl-hw";
  newer += std::string("\0\0\0\x03", 4) + std::string(600, 'n');
  WriteAll(Path("high-water"), newer);
  ExpectRefusal(StatusCode::kFailedPrecondition,
                "was made by a newer smsflow, or is damaged: format 3, this one reads up to 2");
}

// As it was written before rows were counted; for so many shards the slots of today are longer.
TEST_F(HighWaterTest, AFileOfTheFirstFormatIsReadAndWrittenAnew) {
  for (const std::uint16_t shards : {16, 254}) {
    options_.path = folder_ / ("data" + std::to_string(shards));
    options_.shards = shards;
    {
      const auto folder = MustOpen();
      Append(*folder, 3);
    }
    const std::string first = FirstFormat(shards, {0, 2});
    WriteAll(Path("high-water"), first);
    options_.read_only = true;
    EXPECT_EQ(MustOpen()->high_water().AtOpen(kShard), (HighWaterMark{0, 2}));
    EXPECT_EQ(ReadAll(Path("high-water")), first);
    options_.read_only = false;
    {
      const auto folder = MustOpen();
      EXPECT_EQ(ReadAll(Path("high-water")), first) << "until there is something to be saved";
      folder->high_water().Note(kShard, {0, 3});
      ASSERT_TRUE(folder->high_water().Save().ok());
      Append(*folder, 1);
      ASSERT_TRUE(folder->high_water().Save().ok());
    }
    EXPECT_EQ(MustOpen()->high_water().AtOpen(kShard), (HighWaterMark{0, 4}));
    const std::string second = ReadAll(Path("high-water"));
    EXPECT_EQ(second[11], 2);
    EXPECT_EQ(second.size(), shards == 16 ? first.size() : 2 * first.size());
  }
}

// Who is blocked and what is paused stands in no journal.
TEST_F(HighWaterTest, RefusesWhenARowIsMissingOfWhichNoJournalSpeaks) {
  {
    const auto folder = MustOpen();
    Append(*folder, 3);
    Batch batch;
    batch.Put(Family::kIndexes, "paused", "all");
    ASSERT_TRUE(folder->store().Write(batch, Sync::kYes).ok());
    std::filesystem::copy(options_.path, folder_ / "before", std::filesystem::copy_options::recursive);
    ASSERT_TRUE(folder->high_water().Save().ok());
    std::filesystem::copy(options_.path, folder_ / "after", std::filesystem::copy_options::recursive);
  }
  options_.index_key_path = options_.path + ".key";
  for (const bool marked : {false, true}) {
    options_.path = folder_ / (marked ? "after" : "before");
    for (const auto& entry : std::filesystem::directory_iterator(Path("db")))
      if (entry.path().extension() == ".log" && entry.file_size() > 0)
        std::filesystem::resize_file(entry.path(), entry.file_size() - 1);
    if (marked) {
      const std::string log = LogBytes();
      ExpectRefusal(StatusCode::kDataLoss, "acknowledged data is missing: the last row of ");
      ExpectRefusal(StatusCode::kDataLoss, "ends within a record");
      EXPECT_EQ(LogBytes(), log) << "what is left of it is for a repair, or for whoever looks into it";
    } else {
      EXPECT_NE(MustOpen(), nullptr) << "as a crash leaves it";
    }
  }
}

// However the last row was written, and whatever became of it in tables: nothing is missing.
TEST_F(HighWaterTest, TheLastRowIsKnownAcrossStartsTablesAndCompactions) {
  const auto last_of = [](int how, Batch& batch) {
    batch.Put(Family::kIndexes, "paused", "all");
    if (how == 1) batch.Delete(Family::kIndexes, "paused");
    if (how == 2) batch.DeleteRange(Family::kIndexes, "a", "z");
    if (how == 3) batch.DeleteRange(Family::kIndexes, "paused", "paused");
    if (how == 4) batch.DeleteRange(Family::kIndexes, "paused", std::string("paused") + '\0');
    if (how == 5) batch.Put(Family::kIndexes, "paused", "nobody");
  };
  for (int how = 0; how < 6; ++how) {
    for (const bool compact : {false, true}) {
      {
        const auto folder = MustOpen();
        ASSERT_NE(folder, nullptr) << how << ' ' << compact;
        Batch others;
        for (const Family family : {Family::kInstances, Family::kJournal, Family::kQueues, Family::kMeta})
          others.Put(family, "xrow", std::to_string(how));
        ASSERT_TRUE(folder->store().Write(others, Sync::kYes).ok());
        Batch batch;
        last_of(how, batch);
        ASSERT_TRUE(folder->store().Write(batch, Sync::kYes).ok());
        ASSERT_TRUE(folder->high_water().Save().ok());
        if (compact) {
          ASSERT_TRUE(folder->Compact().ok());
        }
      }
      // The second one knows of it by the list of tables alone, which the first wrote anew.
      for (const bool read_only : {false, false, true, false}) {
        options_.read_only = read_only;
        ASSERT_NE(MustOpen(), nullptr) << how << ' ' << compact << ' ' << read_only;
      }
    }
  }
}

// Nothing but blocks, pauses and accounts was ever written.
TEST_F(HighWaterTest, AFolderWithoutAJournalIsNotTakenForANewOne) {
  {
    const auto folder = MustOpen();
    Batch batch;
    batch.Put(Family::kIndexes, "blocked", "target");
    ASSERT_TRUE(folder->store().Write(batch, Sync::kYes).ok());
    ASSERT_TRUE(folder->high_water().Save().ok());
  }
  const std::string kept = folder_ / "kept";
  std::filesystem::copy(options_.path, kept, std::filesystem::copy_options::recursive);
  for (const std::string gone : {"db", "db/CURRENT", "its log"}) {
    std::filesystem::remove_all(options_.path);
    std::filesystem::copy(kept, options_.path, std::filesystem::copy_options::recursive);
    if (gone != "its log") std::filesystem::remove_all(Path(gone));
    if (gone == "its log")
      for (const auto& entry : std::filesystem::directory_iterator(Path("db")))
        if (entry.path().extension() == ".log") std::filesystem::remove(entry.path());
    EXPECT_TRUE(absl::IsDataLoss(DataFolder::Open(options_).status())) << gone;
  }
}

}  // namespace
}  // namespace smsflow::storage
