// Lists that survive inserts, tokens that fit one query only, journals read backwards, and the tail that follows them.
#include "engine/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/tail.h"
#include "engine/tokens.h"
#include "storage/memory_store.h"
#include "storage/records.h"
#include "tests/storage/whole_rows.h"

namespace smsflow::engine {
namespace {

namespace stored = ::smsflow::stored::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint16_t kShards = 4;
constexpr std::uint16_t kFlow = 9;
constexpr std::uint16_t kGroup = 1;

class ReaderTest : public ::testing::Test {
 protected:
  ReaderTest() : keys_(std::string(32, 'k')) {
    Reader::Parts parts;
    parts.store = &store_;
    parts.index_keys = &keys_;
    parts.shards = kShards;
    parts.committed = [this](ShardId shard) { return heads_[shard.value].sequence; };
    reader_ = std::make_unique<Reader>(std::move(parts));
  }

  // An instance in `shard`, made at `ms`, with one journal record.
  InstanceId Add(std::uint16_t shard, std::int64_t ms, const std::string& tenant, const std::string& group,
                 std::uint16_t state = 1) {
    const InstanceId id = InstanceId::Make(ms, ShardId{shard}, ++random_);
    stored::InstanceHead head;
    head.set_workflow(kFlow);
    head.set_tenant(tenant);
    head.mutable_state()->set_state(state);
    head.mutable_state()->set_sequence(heads_[shard].sequence + 1);
    storage::Batch batch;
    storage::PutHead(batch, id, head);
    storage::PutIndex(batch, ShardId{shard}, kGroup, keys_.IndexValue(tenant, kGroup, group), id);
    AppendRecord(batch, id, 0, tenant, head.state());
    Write(batch);
    return id;
  }

  // One more transition, whose state stands in a row of its own.
  void Move(const InstanceId& id, const std::string& tenant, std::uint16_t state) {
    const auto before = reader_->Get(id, "");
    stored::InstanceState row = before->state;
    row.set_state(state);
    const std::uint64_t previous = row.sequence();
    row.set_sequence(heads_[id.shard().value].sequence + 1);
    storage::Batch batch;
    storage::PutState(batch, id, row);
    AppendRecord(batch, id, previous, tenant, row);
    Write(batch);
  }

  void AppendRecord(storage::Batch& batch, const InstanceId& id, std::uint64_t previous, const std::string& tenant,
                    const stored::InstanceState& result) {
    stored::JournalBody body;
    body.set_workflow(kFlow);
    body.set_tenant(tenant);
    *body.mutable_result() = result;
    storage::AppendJournal(batch, id.shard(), heads_[id.shard().value], previous, id, body.SerializeAsString());
  }
  void Write(const storage::Batch& batch) { ASSERT_TRUE(store_.Write(batch, storage::Sync::kYes).ok()); }

  static ListQuery Query(const std::string& tenant, const std::string& group = "") {
    ListQuery query;
    query.workflow = kFlow;
    query.tenant = tenant;
    query.index = group.empty() ? 0 : kGroup;
    query.value = group;
    return query;
  }

  std::vector<InstanceId> ListAll(const ListQuery& query, std::uint32_t page_size) {
    std::vector<InstanceId> ids;
    std::string token;
    do {
      const auto page = reader_->List(query, page_size, token);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      EXPECT_LE(page->items.size(), page_size);
      for (const StoredInstance& item : page->items) ids.push_back(item.id);
      token = page->next_token;
    } while (!token.empty());
    return ids;
  }

  storage::MemoryStore store_;
  storage::IndexKeys keys_;
  std::map<std::uint16_t, storage::ChainHead> heads_;
  std::uint64_t random_ = 0;
  std::unique_ptr<Reader> reader_;
};

TEST_F(ReaderTest, GetKnowsItsOwnTenantOnly) {
  const InstanceId id = Add(2, 1'000, "acme", "g");
  EXPECT_EQ(reader_->Get(id, "acme")->head.tenant(), "acme");
  EXPECT_EQ(reader_->Get(id, "")->head.tenant(), "acme");
  EXPECT_EQ(reader_->Get(id, "other").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(reader_->Get(InstanceId::Make(1, ShardId{1}, 7), "acme").status(), reader_->Get(id, "other").status());
  EXPECT_EQ(reader_->Get(InstanceId::Make(1, ShardId{900}, 7), "acme").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ReaderTest, TheStateRowOutranksTheHeadUntilTheHeadIsFinal) {
  const InstanceId id = Add(0, 1'000, "acme", "g", 1);
  EXPECT_EQ(reader_->Get(id, "acme")->state.state(), 1u);
  Move(id, "acme", 2);
  EXPECT_EQ(reader_->Get(id, "acme")->state.state(), 2u);

  stored::InstanceHead head = reader_->Get(id, "acme")->head;
  head.set_final(true);
  head.mutable_state()->set_state(4);
  storage::Batch batch;
  storage::PutHead(batch, id, head);
  Write(batch);
  EXPECT_EQ(reader_->Get(id, "acme")->state.state(), 4u);
}

TEST_F(ReaderTest, ListsAreMergedOverShardsById) {
  std::vector<InstanceId> expected;
  for (int i = 0; i < 20; ++i) {
    const auto shard = static_cast<std::uint16_t>((i * 7) % kShards);
    expected.push_back(Add(shard, 1'000 + i, "acme", "g"));
    Add(shard, 1'000 + i, "other", "g");
    Add(shard, 1'000 + i, "acme", "h");
  }
  for (const std::uint32_t page_size : {1u, 3u, 20u, 1'000u}) {
    EXPECT_EQ(ListAll(Query("acme", "g"), page_size), expected) << page_size;
    EXPECT_EQ(ListAll(Query("acme"), page_size).size(), 40u) << page_size;
  }
  EXPECT_THAT(ListAll(Query("nobody", "g"), 10), IsEmpty());
}

TEST_F(ReaderTest, StatesAndTimesFilter) {
  const InstanceId early = Add(0, 1'000, "acme", "g");
  const InstanceId middle = Add(1, 2'000, "acme", "g");
  const InstanceId late = Add(2, 3'000, "acme", "g");
  Move(middle, "acme", 5);
  ListQuery query = Query("acme", "g");
  query.states = {5};
  EXPECT_THAT(ListAll(query, 10), ElementsAre(middle));
  query.states = {};
  query.created_from_ms = 2'000;
  EXPECT_THAT(ListAll(query, 10), ElementsAre(middle, late));
  query.created_till_ms = 3'000;
  EXPECT_THAT(ListAll(query, 10), ElementsAre(middle));
  query.created_from_ms = 0;
  query.created_till_ms = 2'000;
  EXPECT_THAT(ListAll(query, 10), ElementsAre(early));
}

TEST_F(ReaderTest, ATokenSurvivesInsertsAndAnotherReader) {
  const InstanceId first = Add(3, 1'000, "acme", "g");
  const InstanceId second = Add(0, 2'000, "acme", "g");
  const auto page = reader_->List(Query("acme", "g"), 1, "");
  ASSERT_THAT(page->items.size(), 1u);
  EXPECT_EQ(page->items[0].id, first);
  const InstanceId third = Add(1, 3'000, "acme", "g");
  Add(1, 500, "acme", "g");  // before what was shown: Watch tells of it

  Reader::Parts parts{&store_, &keys_, kShards, [](ShardId) { return 0; }};
  const auto next = Reader(parts).List(Query("acme", "g"), 10, page->next_token);
  ASSERT_EQ(next->items.size(), 2u);
  EXPECT_EQ(next->items[0].id, second);
  EXPECT_EQ(next->items[1].id, third);
  EXPECT_EQ(next->seen, page->seen);  // from before the first page
}

TEST_F(ReaderTest, ATokenFitsItsOwnQueryOnly) {
  Add(0, 1'000, "acme", "g");
  Add(0, 2'000, "acme", "g");
  const std::string token = reader_->List(Query("acme", "g"), 1, "")->next_token;
  ASSERT_FALSE(token.empty());
  ListQuery states = Query("acme", "g");
  states.states = {1};
  ListQuery times = Query("acme", "g");
  times.created_from_ms = 1;
  for (const ListQuery& other : {Query("acme", "h"), Query("acme"), Query("other", "g"), states, times}) {
    EXPECT_EQ(reader_->List(other, 1, token).status().code(), absl::StatusCode::kInvalidArgument);
  }
  for (const std::string& wrong : {std::string("x"), token.substr(1), token + "A", token.substr(0, token.size() / 2),
                                   EncodeWatchToken({{1, 2, 3, 4}})}) {
    EXPECT_EQ(reader_->List(Query("acme", "g"), 1, wrong).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(ReaderTest, APageReadsABoundedNumberOfRowsAndMayBeEmpty) {
  for (std::uint32_t i = 0; i < Reader::kRowsPerPage + 5; ++i) Add(0, 1'000 + i, "acme", "g");
  ListQuery query = Query("acme", "g");
  query.states = {7};
  const auto page = reader_->List(query, 10, "");
  EXPECT_THAT(page->items, IsEmpty());
  ASSERT_FALSE(page->next_token.empty());
  const auto next = reader_->List(query, 10, page->next_token);
  EXPECT_THAT(next->items, IsEmpty());
  EXPECT_EQ(next->next_token, "");
}

TEST_F(ReaderTest, CountsByStateAndStopsWhenTold) {
  for (int i = 0; i < 2'500; ++i) {
    Add(static_cast<std::uint16_t>(i % kShards), 1'000 + i, "acme", "g", i % 5 == 0 ? 4 : 1);
  }
  const auto counts = reader_->Count(Query("acme", "g"), [] { return false; });
  EXPECT_THAT(*counts, ElementsAre(std::pair(1, 2'000u), std::pair(4, 500u)));
  EXPECT_EQ(reader_->Count(Query("acme", "g"), [] { return true; }).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(ReaderTest, MembersArePagedThroughAllShards) {
  std::set<std::string> expected;
  for (int i = 0; i < 10; ++i) {
    const std::string target = "t" + std::to_string(i);
    stored::MembershipRow row;
    row.set_target(target);
    row.set_since_ms(i);
    storage::Batch batch;
    for (const std::string tenant : {"acme", "other"}) {
      storage::PutMembership(batch, keys_.Shard(kShards, tenant, target, "", 0), 0, keys_.Tenant(tenant),
                             keys_.Target(tenant, target), row);
    }
    Write(batch);
    expected.insert(target);
  }
  std::set<std::string> found;
  std::string token;
  int pages = 0;
  do {
    const auto page = reader_->Members("acme", 0, 3, token);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const Member& member : page->members) EXPECT_TRUE(found.insert(member.target).second);
    token = page->next_token;
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(found, expected);
  EXPECT_EQ(pages, 4);
  const std::string first = reader_->Members("acme", 0, 3, "")->next_token;
  EXPECT_EQ(reader_->Members("other", 0, 3, first).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ReaderTest, OneLifeIsReadBackwardsAmongOthers) {
  const InstanceId id = Add(1, 1'000, "acme", "g");
  Add(1, 1'000, "acme", "g");
  Move(id, "acme", 2);
  Add(1, 1'000, "acme", "g");
  Move(id, "acme", 3);
  const auto journal = reader_->Journal(*reader_->Get(id, "acme"));
  ASSERT_TRUE(journal.ok()) << journal.status();
  EXPECT_TRUE(journal->whole);
  std::vector<std::uint64_t> sequences;
  for (const auto& record : journal->records) sequences.push_back(record.header.sequence);
  EXPECT_THAT(sequences, ElementsAre(1, 3, 5));

  storage::Batch batch;
  batch.Delete(storage::Family::kJournal, storage::JournalKey(ShardId{1}, 1));
  Write(batch);
  const auto rest = reader_->Journal(*reader_->Get(id, "acme"));
  EXPECT_FALSE(rest->whole);
  EXPECT_EQ(rest->records.size(), 2u);
}

TEST_F(ReaderTest, TheTailTellsEachTransitionOnceAndInOrder) {
  const InstanceId before = Add(0, 1'000, "acme", "g");
  Tail tail(*reader_, {kFlow, "acme", std::nullopt}, reader_->Now());
  ASSERT_TRUE(tail.Check().ok());
  std::vector<TailRecord> records;
  EXPECT_FALSE(*tail.Read(100, records));
  EXPECT_THAT(records, IsEmpty());

  const InstanceId fresh = Add(1, 2'000, "acme", "g");
  Add(1, 2'000, "other", "g");
  Move(before, "acme", 2);
  Move(fresh, "acme", 2);
  Move(fresh, "acme", 3);
  while (*tail.Read(1, records)) continue;
  std::map<InstanceId, std::vector<std::uint32_t>> states;
  for (const TailRecord& record : records) states[record.id].push_back(record.body.result().state());
  EXPECT_THAT(states[before], ElementsAre(2));
  EXPECT_THAT(states[fresh], ElementsAre(1, 2, 3));
  EXPECT_EQ(states.size(), 2u);

  // What resumes from here has nothing to tell.
  Tail later(*reader_, {kFlow, "acme", std::nullopt}, DecodeWatchToken(EncodeWatchToken({tail.positions()}))->seen);
  records.clear();
  EXPECT_FALSE(*later.Read(100, records));
  EXPECT_THAT(records, IsEmpty());
}

TEST_F(ReaderTest, AListsVectorLeavesNoGapBeforeTheTail) {
  Add(0, 1'000, "acme", "g");
  const auto page = reader_->List(Query("acme"), 10, "");
  const InstanceId fresh = Add(0, 2'000, "acme", "g");
  Tail tail(*reader_, {kFlow, "acme", std::nullopt}, page->seen);
  std::vector<TailRecord> records;
  EXPECT_FALSE(*tail.Read(100, records));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].id, fresh);
}

TEST_F(ReaderTest, WhatRetentionErasedIsOutOfRange) {
  Add(0, 1'000, "acme", "g");
  Add(0, 1'000, "acme", "g");
  storage::Batch batch;
  stored::ShardMarks marks;
  marks.set_erased_to(1);
  storage::PutMarks(batch, ShardId{0}, marks);
  storage::EraseJournalBody(batch, ShardId{0}, **storage::GetJournal(store_, ShardId{0}, 1));
  Write(batch);
  EXPECT_EQ(Tail(*reader_, {kFlow, "acme", {}}, {0, 0, 0, 0}).Check().code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(Tail(*reader_, {kFlow, "acme", {}}, {1, 0, 0, 0}).Check().ok());
  std::vector<TailRecord> records;
  EXPECT_EQ(Tail(*reader_, {kFlow, "acme", {}}, {0, 0, 0, 0}).Read(10, records).status().code(),
            absl::StatusCode::kOutOfRange);
}

// After a repair the sequences that it was shown may be those of other records.
TEST_F(ReaderTest, ATokenOfAnEpochThatIsOverIsOutOfRange) {
  Add(0, 1'000, "acme", "g");
  Add(0, 2'000, "acme", "g");
  const std::string before = reader_->List(Query("acme", "g"), 1, "")->next_token;
  storage::Batch batch;
  stored::ShardMarks marks;
  marks.set_epoch(2);
  storage::PutMarks(batch, ShardId{0}, marks);
  Write(batch);
  EXPECT_EQ(reader_->List(Query("acme", "g"), 1, before).status().code(), absl::StatusCode::kOutOfRange);
  const std::string now = reader_->List(Query("acme", "g"), 1, "")->next_token;
  EXPECT_EQ(DecodeListToken(now)->epoch, 2U);
  EXPECT_TRUE(reader_->List(Query("acme", "g"), 1, now).ok());
}

TEST_F(ReaderTest, PositionsOfAnotherFolderAreRefused) {
  Add(0, 1'000, "acme", "g");
  EXPECT_EQ(Tail(*reader_, {kFlow, "acme", {}}, {5, 0, 0, 0}).Check().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Tail(*reader_, {kFlow, "acme", {}}, {1, 0}).Check().code(), absl::StatusCode::kInvalidArgument);
}

TEST(TokensTest, RubbishIsNoToken) {
  for (const char* text : {"", "W", "V", "VwE", "TA", "%%%", "VwEB____"}) {
    EXPECT_FALSE(DecodeListToken(text).has_value()) << text;
    EXPECT_FALSE(DecodeMemberToken(text).has_value()) << text;
  }
  EXPECT_FALSE(DecodeWatchToken("VwE").has_value());       // a count without its sequence
  EXPECT_FALSE(DecodeWatchToken("V_____8P").has_value());  // more shards than there can be
  EXPECT_EQ(DecodeWatchToken(EncodeWatchToken({})), WatchToken{});
  EXPECT_EQ(DecodeWatchToken(EncodeWatchToken({{1, 1ULL << 63, 300}})), (WatchToken{{1, 1ULL << 63, 300}}));
}

}  // namespace
}  // namespace smsflow::engine
