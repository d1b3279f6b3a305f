// The journal's chain: what is written reads back, and no record can be changed, dropped or inserted unseen.
#include "storage/journal.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "storage/keys.h"
#include "storage/memory_store.h"
#include "tests/storage/broken_store.h"

namespace smsflow::storage {
namespace {

const ShardId kShard{4};
const InstanceId kOne = InstanceId::Make(1000, kShard, 1), kTwo = InstanceId::Make(1000, kShard, 2);
constexpr std::uint64_t kRecords = 10;

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    Write([&](Batch& batch) {
      for (std::uint64_t i = 1; i <= kRecords; ++i)
        AppendJournal(batch, kShard, head_, i > 2 ? i - 2 : 0, i % 2 == 0 ? kTwo : kOne, "body " + std::to_string(i));
    });
  }
  void Write(const std::function<void(Batch&)>& put) {
    Batch batch;
    put(batch);
    ASSERT_TRUE(store_.Write(batch, Sync::kYes).ok());
  }
  JournalRecord Record(std::uint64_t sequence) {
    auto record = GetJournal(store_, kShard, sequence);
    EXPECT_TRUE(record.ok() && *record) << sequence;
    return record.ok() && *record ? **record : JournalRecord{};
  }
  std::string Value(std::uint64_t sequence) { return **store_.Get(Family::kJournal, JournalKey(kShard, sequence)); }
  void Overwrite(std::uint64_t sequence, const std::string& value) {
    Write([&](Batch& batch) { batch.Put(Family::kJournal, JournalKey(kShard, sequence), value); });
  }
  // Goes along the whole chain as a verifier does, from `before` on.
  bool Holds(ChainHead before = {}) {
    const auto rows = store_.Scan(Family::kJournal, JournalKey(kShard, 0), PrefixEnd(Key('j', kShard)));
    for (; rows->Valid(); rows->Next()) {
      const auto record = DecodeJournal(kShard, SequenceOfKey(rows->key()), rows->value());
      if (!record.ok() || record->header.sequence != before.sequence + 1) return false;
      if (ChainAfter(before.chain, record->header) != record->header.chain) return false;
      before = {record->header.sequence, record->header.chain};
    }
    return before.sequence == head_.sequence && before.chain == head_.chain;
  }

  MemoryStore store_;
  ChainHead head_;
};

TEST_F(JournalTest, RecordsReadBackWithTheWayToTheOneBefore) {
  const JournalRecord record = Record(7);
  EXPECT_EQ(record.body, "body 7");
  EXPECT_EQ(record.header.instance, kOne);
  EXPECT_EQ(record.header.previous, 5U);
  EXPECT_FALSE(record.header.erased);
  EXPECT_EQ(*GetJournal(store_, kShard, kRecords + 1), std::nullopt);
  EXPECT_TRUE(Holds());
}

TEST_F(JournalTest, AShardGoesOnFromItsHead) {
  const auto head = FindChainHead(store_, kShard);
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_EQ(head->sequence, kRecords);
  EXPECT_EQ(head->chain, head_.chain);
  EXPECT_EQ(FindChainHead(store_, ShardId{5})->sequence, 0U);
  EXPECT_EQ(FindChainHead(store_, ShardId{3})->sequence, 0U);
}

TEST_F(JournalTest, NoFlippedBitOfARecordGoesUnseen) {
  const std::string value = Value(5);
  for (std::size_t at = 0; at < value.size(); ++at) {
    std::string flipped = value;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    Overwrite(5, flipped);
    EXPECT_FALSE(Holds()) << "byte " << at;
  }
  Overwrite(5, value);
  EXPECT_TRUE(Holds());
}

TEST_F(JournalTest, DroppedMovedAndInsertedRecordsAreSeen) {
  const std::string five = Value(5), six = Value(6), last = Value(kRecords);
  Write([&](Batch& batch) { batch.Delete(Family::kJournal, JournalKey(kShard, 5)); });
  EXPECT_FALSE(Holds()) << "dropped";
  Overwrite(5, six);
  Overwrite(6, five);
  EXPECT_FALSE(Holds()) << "changed places";
  Overwrite(5, five);
  Overwrite(6, six);
  ASSERT_TRUE(Holds());
  Write([&](Batch& batch) { batch.Delete(Family::kJournal, JournalKey(kShard, kRecords)); });
  EXPECT_FALSE(Holds()) << "the last one dropped";
  Overwrite(kRecords, last);
  Overwrite(kRecords + 1, last);
  EXPECT_FALSE(Holds()) << "one more";
}

TEST_F(JournalTest, ABodyCanGoAndTheChainStillHolds) {
  Write([&](Batch& batch) { EraseJournalBody(batch, kShard, Record(5)); });
  const JournalRecord erased = Record(5);
  EXPECT_TRUE(erased.header.erased);
  EXPECT_EQ(erased.body, "");
  EXPECT_EQ(erased.header.previous, 3U);
  EXPECT_TRUE(Holds());
  Write([&](Batch& batch) { EraseJournalBody(batch, kShard, erased); });
  EXPECT_TRUE(Holds()) << "erasing twice changes nothing";
  std::string value = Value(5);
  value.back() = static_cast<char>(value.back() ^ 1);
  Overwrite(5, value);
  EXPECT_FALSE(Holds()) << "the digest of an erased body is as safe as the body was";
}

TEST_F(JournalTest, SegmentsGoAndLeaveAnAnchor) {
  const JournalRecord fourth = Record(4);
  Write([&](Batch& batch) {
    PutAnchor(batch, kShard, {{4, fourth.header.chain}, 4});
    batch.DeleteRange(Family::kJournal, JournalKey(kShard, 0), JournalKey(kShard, 5));
  });
  const auto anchor = LastAnchor(store_, kShard);
  ASSERT_TRUE(anchor.ok() && *anchor);
  EXPECT_EQ((*anchor)->count, 4U);
  EXPECT_TRUE(Holds((*anchor)->head));
  EXPECT_EQ(FindChainHead(store_, kShard)->sequence, kRecords);
  EXPECT_EQ(*LastAnchor(store_, ShardId{5}), std::nullopt);

  Write([&](Batch& batch) {
    PutAnchor(batch, kShard, {head_, kRecords});
    batch.DeleteRange(Family::kJournal, JournalKey(kShard, 0), JournalKey(kShard, kRecords + 1));
  });
  const auto head = FindChainHead(store_, kShard);
  EXPECT_EQ(head->sequence, kRecords) << "an emptied shard does not begin anew";
  EXPECT_EQ(head->chain, head_.chain);
}

TEST_F(JournalTest, DamageIsToldAndNeverPassedOver) {
  std::string value = Value(kRecords);
  value[1 + 10 + 6] = '\x40';  // in the instance, after the sealing byte
  Overwrite(kRecords, value);
  const auto lost = absl::StatusCode::kDataLoss;
  EXPECT_EQ(GetJournal(store_, kShard, kRecords).status().code(), lost);
  EXPECT_EQ(FindChainHead(store_, kShard).status().code(), lost);

  Write([&](Batch& batch) {
    batch.DeleteRange(Family::kJournal, JournalKey(kShard, 0), JournalKey(kShard, kRecords + 1));
    batch.Put(Family::kJournal, AnchorKey(kShard, kRecords), "no anchor");
  });
  EXPECT_EQ(LastAnchor(store_, kShard).status().code(), lost);
  EXPECT_EQ(FindChainHead(store_, kShard).status().code(), lost) << "an emptied shard does not begin anew";
}

TEST(Journal, AnErrorOfTheDiskIsToldAsIt) {
  const BrokenStore broken;
  EXPECT_EQ(GetJournal(broken, kShard, 1).status().code(), BrokenStore::kError);
  EXPECT_EQ(LastAnchor(broken, kShard).status().code(), BrokenStore::kError);
  EXPECT_EQ(FindChainHead(broken, kShard).status().code(), BrokenStore::kError);
}

TEST(Journal, ThePayloadStandsInItByItsDigestAlone) {
  EXPECT_EQ(PayloadDigest("payload"), PayloadDigest("payload"));
  EXPECT_NE(PayloadDigest("payload"), PayloadDigest("payloae"));
}

}  // namespace
}  // namespace smsflow::storage
