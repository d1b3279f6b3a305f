// smsflow db on a real folder with one SMS in it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "storage/data_folder.h"
#include "storage/journal.h"
#include "storage/records.h"
#include "tests/storage/temporary_folder.h"
#include "tests/storage/whole_rows.h"
#include "tests/tools/cli/person.h"

namespace smsflow::cli {
namespace {

namespace stored = smsflow::stored::v1;
using storage::Batch, storage::DataFolder, storage::Sync;

class DbTest : public testing::Test {
 protected:
  DbTest() {
    const auto folder = Open();
    shard_ = folder->index_keys().Shard(4, "acme", "+255123456789", "", 0);
    id_ = InstanceId::Make(kNowMs, shard_, 1);
    stored::InstanceHead head;
    head.set_tenant("acme");
    head.set_target("+255123456789");
    head.set_payload("sealed text");
    const auto digest = storage::PayloadDigest(head.payload());
    head.set_payload_digest(digest.data(), digest.size());
    stored::InstanceState& state = *head.mutable_state();
    state.set_state(1);
    state.set_sequence(1);
    auto* timer = state.add_timers();
    timer->set_name(1);
    timer->set_due_ms(kNowMs);
    stored::JournalBody body;
    *body.mutable_result() = state;
    body.set_tenant("acme");
    Batch batch;
    storage::ChainHead chain;
    AppendJournal(batch, shard_, chain, 0, id_, body.SerializeAsString());
    PutHead(batch, id_, head);
    PutTimer(batch, {shard_, kNowMs, id_, 1}, false, "");
    EXPECT_TRUE(folder->store().Write(batch, Sync::kYes).ok());
    folder->high_water().Note(shard_, {0, 1});
    EXPECT_TRUE(folder->high_water().Save().ok());
  }

  std::unique_ptr<DataFolder> Open() {
    storage::DataFolderOptions options;
    options.path = data_;
    options.shards = 4;
    options.ballast_bytes = 0;
    auto folder = DataFolder::Open(options);
    EXPECT_TRUE(folder.ok()) << folder.status();
    return std::move(*folder);
  }
  std::string Says(const std::string& what, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"db", what, "--data", data_};
    words.insert(words.end(), more.begin(), more.end());
    person_.Types(words);
    return person_.out.str() + person_.err.str();
  }
  static bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

  storage::TemporaryFolder folder_;
  const std::string data_ = folder_ / "data";
  ShardId shard_;
  InstanceId id_;
  Person person_;
};

TEST_F(DbTest, VerifyFindsNothingInACleanFolder) {
  EXPECT_EQ(Says("verify"), "1 records and 1 SMSes checked, 0 violations\n");
  EXPECT_EQ(person_.exit_code, 0);
  EXPECT_EQ(Says("verify", {"--json"}),
            "{\"records\":1,\"instances\":1,\"violations\":0,\"findings\":[],\"done\":true}\n");
}

TEST_F(DbTest, VerifyNamesWhatItFindsAndEndsWithOne) {
  {
    const auto folder = Open();
    Batch batch;
    storage::DeleteTimer(batch, {shard_, kNowMs, id_, 1});
    ASSERT_TRUE(folder->store().Write(batch, Sync::kYes).ok());
  }
  EXPECT_TRUE(Has(Says("verify"), id_.ToString() + " waits for its timer 1"));
  EXPECT_TRUE(Has(person_.out.str(), "1 violations\n"));
  EXPECT_EQ(person_.exit_code, 1);
  EXPECT_TRUE(Has(Says("verify", {"--json"}), "\"violations\":1,\"findings\":[],\"done\":true}"));
  EXPECT_EQ(person_.exit_code, 1);
}

TEST_F(DbTest, DataBelowItsHighWaterMarkIsAViolation) {
  {
    const auto folder = Open();
    folder->high_water().Note(shard_, {0, 7});
    ASSERT_TRUE(folder->high_water().Save().ok());
  }
  EXPECT_TRUE(Has(Says("verify"), "acknowledged data is missing"));
  EXPECT_EQ(person_.exit_code, 1);
}

TEST_F(DbTest, AFolderInUseAndOneThatIsNoneAreRefused) {
  const auto folder = Open();
  EXPECT_TRUE(Has(Says("verify"), "is in use by another process"));
  EXPECT_EQ(person_.exit_code, 4);
  person_.Types({"db", "verify", "--data", folder_ / "none"});
  EXPECT_EQ(person_.exit_code, 3) << person_.err.str();
}

TEST_F(DbTest, StatsCount) {
  const std::string text = Says("stats");
  EXPECT_EQ(person_.exit_code, 0);
  EXPECT_TRUE(Has(text, "instances_PENDING\t1")) << text;
  EXPECT_TRUE(Has(text, "shards\t4")) << text;
}

TEST_F(DbTest, DumpShowsRowsButNamesOnlyWhenAskedAndPayloadsNever) {
  const std::string text = Says("dump");
  EXPECT_EQ(person_.exit_code, 0);
  EXPECT_TRUE(Has(text, "{\"kind\":\"h\"")) << text;
  EXPECT_TRUE(Has(text, "\"id\":\"" + id_.ToString() + "\""));
  EXPECT_TRUE(Has(text, "\"kind\":\"j\"") && Has(text, "\"kind\":\"t\"") && Has(text, "\"kind\":\"M\""));
  EXPECT_FALSE(Has(text, "+255") || Has(text, "acme") || Has(text, "sealed text"));
  const std::string named = Says("dump", {"--names", "--kind", "h"});
  EXPECT_TRUE(Has(named, "+255123456789") && Has(named, "acme")) << named;
  EXPECT_FALSE(Has(named, "sealed text") || Has(named, "7365616c6564") || Has(named, "\"kind\":\"j\""));
}

TEST_F(DbTest, RepairMendsACopyAndLeavesTheFolder) {
  const std::string copy = folder_ / "copy";
  EXPECT_TRUE(Has(Says("repair"), "--to must name the folder for the copy"));
  EXPECT_EQ(person_.exit_code, 2);
  EXPECT_TRUE(Has(Says("repair", {"--to", copy}), "it opens as it is; nothing was mended"));
  EXPECT_TRUE(Has(person_.err.str(), "nothing new leaves from it until smsflow resume --all"));
  EXPECT_EQ(person_.exit_code, 0);
  EXPECT_FALSE(Has(person_.err.str(), "not copied"));
  EXPECT_TRUE(Has(Says("repair", {"--to", copy}), "exists already; name a new folder"));
  EXPECT_NE(person_.exit_code, 0);
}

TEST_F(DbTest, RepairSaysWhatIsNotInTheCopy) {
  const std::filesystem::path data = data_, copy = folder_ / "copy";
  for (const char* name : {"loopback", "lost+found"}) std::filesystem::create_directories(data / name);
  std::ofstream(data / "loopback" / "CURRENT") << "of another database";
  EXPECT_TRUE(Has(Says("repair", {"--to", copy}), "no part of it: loopback in " + data.string() + ". "));
  EXPECT_EQ(person_.exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(copy / "loopback"));
}

TEST_F(DbTest, RepairLeavesNoCopyThatLacksWhatWasAcknowledged) {
  const std::string copy = folder_ / "copy";
  {
    const auto folder = Open();
    folder->high_water().Note(shard_, {0, 2});
    ASSERT_TRUE(folder->high_water().Save().ok());
  }
  EXPECT_TRUE(Has(Says("repair", {"--to", copy}), "acknowledged data is missing"));
  EXPECT_EQ(person_.exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(copy));
}

TEST_F(DbTest, RepairLeavesNoCopyThatLacksRows) {
  const std::string copy = folder_ / "copy";
  {
    const auto folder = Open();
    Batch batch;
    storage::DeleteTimer(batch, {shard_, kNowMs, id_, 1});
    ASSERT_TRUE(folder->store().Write(batch, Sync::kYes).ok());
  }
  EXPECT_TRUE(Has(Says("repair", {"--to", copy}), "no copy was left, for rows are missing"));
  EXPECT_EQ(person_.exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(copy));
}

}  // namespace
}  // namespace smsflow::cli
