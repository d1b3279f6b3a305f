// Rows and keys: what was put comes back, and what is no such row is DATA_LOSS.
#include "storage/records.h"

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "storage/journal.h"
#include "storage/memory_store.h"
#include "tests/storage/broken_store.h"
#include "tests/storage/sample_rows.h"
#include "tests/storage/whole_rows.h"

namespace smsflow::storage {
namespace {

using testing::HasSubstr;

class RecordsTest : public testing::Test {
 protected:
  // Writes what `put` puts.
  void Write(const std::function<void(Batch&)>& put) {
    Batch batch;
    put(batch);
    ASSERT_TRUE(store_.Write(batch, Sync::kYes).ok());
  }
  MemoryStore store_;
};

template <class Row>
void ExpectFilled(const Found<Row>& row) {
  ASSERT_TRUE(row.ok()) << row.status();
  ASSERT_TRUE(row->has_value());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(**row, Filled<Row>()));
}

// What a cursor's first row of a family with this kind holds.
std::string FirstValue(const Store& store, Family family, char kind) {
  const auto row = store.Scan(family, std::string(1, kind), PrefixEnd(std::string(1, kind)));
  return row->Valid() ? std::string(row->value()) : "none";
}

TEST_F(RecordsTest, RowsComeBackAndGo) {
  const ShardId shard = kSampleShard;
  Write([&](Batch& b) {
    PutHead(b, kSampleInstance, Filled<stored::InstanceHead>());
    PutState(b, kSampleInstance, Filled<stored::InstanceState>());
    PutMarks(b, shard, Filled<stored::ShardMarks>());
    PutMembership(b, shard, 1, kSampleLane, kSampleHash, Filled<stored::MembershipRow>());
    PutDedupe(b, shard, kSampleHash, Filled<stored::DedupeRow>());
    PutMeta(b, Filled<stored::Meta>());
    PutPolicy(b, kSampleHash, "policy");
    PutAppliedTell(b, shard, ShardId{5}, 77);
    PutOutbox(b, shard, 4, Filled<stored::OutboxRow>());
    stored::FeedRow feed;
    feed.set_log("a log with a name that is longer than a key may be");
    feed.set_partition(3);
    feed.set_next(12);
    PutFeed(b, shard, feed);
  });
  const auto feed = GetFeed(store_, shard, "a log with a name that is longer than a key may be", 3);
  ASSERT_TRUE(feed.ok() && feed->has_value());
  EXPECT_EQ((*feed)->next(), 12U);
  EXPECT_FALSE(GetFeed(store_, shard, "a log with a name that is longer than a key may be", 4)->has_value());
  EXPECT_FALSE(GetFeed(store_, ShardId{9}, "a log with a name that is longer than a key may be", 3)->has_value());
  EXPECT_EQ(DecodeFeed(FirstValue(store_, Family::kQueues, 'f'))->partition(), 3U);
  ExpectFilled(GetHead(store_, kSampleInstance));
  ExpectFilled(GetState(store_, kSampleInstance));
  ExpectFilled(GetMarks(store_, shard));
  ExpectFilled(Found<stored::MembershipRow>(DecodeMembership(FirstValue(store_, Family::kIndexes, 'm'))));
  ExpectFilled(GetDedupe(store_, shard, kSampleHash));
  ExpectFilled(GetMeta(store_));
  ExpectFilled(Found<stored::OutboxRow>(DecodeOutbox(FirstValue(store_, Family::kQueues, 'o'))));
  EXPECT_EQ(**GetPolicy(store_, kSampleHash), "policy");
  EXPECT_EQ(*GetAppliedTell(store_, shard, ShardId{5}), 77U);
  EXPECT_EQ(*GetAppliedTell(store_, shard, ShardId{6}), 0U);
  Write([&](Batch& b) {
    DeleteHead(b, kSampleInstance);
    DeleteState(b, kSampleInstance);
    DeleteMembership(b, shard, 1, kSampleLane, kSampleHash);
    DeleteDedupe(b, shard, kSampleHash);
  });
  EXPECT_EQ(store_.rows(Family::kInstances) + store_.rows(Family::kIndexes), 0U);
}

TEST_F(RecordsTest, WhatIsNotThereIsNoError) {
  EXPECT_EQ(*GetHead(store_, kSampleInstance), std::nullopt);
  EXPECT_EQ(*GetState(store_, kSampleInstance), std::nullopt);
  EXPECT_EQ(*GetMarks(store_, kSampleShard), std::nullopt);
  EXPECT_EQ(*GetDedupe(store_, kSampleShard, kSampleHash), std::nullopt);
  EXPECT_EQ(*GetPolicy(store_, kSampleHash), std::nullopt);
  EXPECT_EQ(*GetMeta(store_), std::nullopt);
}

// An error of the disk must never look like a row that is not there: what is not there is made anew.
TEST(Records, AnErrorOfTheDiskIsToldAsIt) {
  const BrokenStore broken;
  EXPECT_EQ(GetHead(broken, kSampleInstance).status().code(), BrokenStore::kError);
  EXPECT_EQ(GetState(broken, kSampleInstance).status().code(), BrokenStore::kError);
  EXPECT_EQ(GetMarks(broken, kSampleShard).status().code(), BrokenStore::kError);
  EXPECT_EQ(GetDedupe(broken, kSampleShard, kSampleHash).status().code(), BrokenStore::kError);
  EXPECT_EQ(GetMeta(broken).status().code(), BrokenStore::kError);
  EXPECT_EQ(GetPolicy(broken, kSampleHash).status().code(), BrokenStore::kError);
  EXPECT_EQ(GetAppliedTell(broken, kSampleShard, kSampleShard).status().code(), BrokenStore::kError);
}

TEST_F(RecordsTest, RowsOfTheQueuesAndIndexesGo) {
  const auto sweep = [] {
    auto row = Filled<stored::SweepRow>();
    row.set_command("sixteen bytes...");
    return row;
  }();
  Write([&](Batch& b) {
    PutSweep(b, kSampleShard, sweep);
    PutIndex(b, kSampleShard, 2, kSampleHash, kSampleInstance);
    PutPause(b, kSampleShard, PauseScope::kTenant, kSampleHash, Filled<stored::PauseRow>());
  });
  EXPECT_EQ(DecodeSweep(FirstValue(store_, Family::kQueues, 'w'))->command(), sweep.command());
  ExpectFilled(Found<stored::PauseRow>(DecodePause(FirstValue(store_, Family::kIndexes, 'p'))));
  Write([&](Batch& b) {
    DeleteSweep(b, kSampleShard, sweep.command());
    DeleteIndex(b, kSampleShard, 2, kSampleHash, kSampleInstance);
    DeletePause(b, kSampleShard, PauseScope::kTenant, kSampleHash);
  });
  EXPECT_EQ(store_.rows(Family::kQueues) + store_.rows(Family::kIndexes), 0U);
}

TEST_F(RecordsTest, DamageOfWhatIsNoMessageIsDataLossToo) {
  const auto write = [&](Family family, std::string_view key, const std::string& value) {
    Write([&](Batch& b) { b.Put(family, key, value); });
  };
  const auto applied = [&] { return GetAppliedTell(store_, kSampleShard, ShardId{5}).status(); };
  write(Family::kQueues, AppliedTellKey(kSampleShard, ShardId{5}), std::string("\0seven..", 8));
  EXPECT_THAT(std::string(applied().message()), HasSubstr("it is not eight bytes"));
  write(Family::kQueues, AppliedTellKey(kSampleShard, ShardId{5}), "\0118 bytes.");
  EXPECT_EQ(applied().code(), absl::StatusCode::kDataLoss);
  stored::FeedRow feed;
  const auto decoded = [&](const std::string& digest) {
    feed.set_digest(digest);
    return DecodeFeed(std::string(1, '\0') + feed.SerializeAsString()).status();
  };
  EXPECT_TRUE(decoded("").ok());
  EXPECT_TRUE(decoded("sixteen bytes...").ok());
  EXPECT_THAT(std::string(decoded("fifteen bytes..").message()), HasSubstr("its digest is not 16 bytes"));
  EXPECT_EQ(DecodeFeed("\x09").status().code(), absl::StatusCode::kDataLoss);
  write(Family::kMeta, PolicyKey(kSampleHash), "\x09policy");
  EXPECT_EQ(GetPolicy(store_, kSampleHash).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(RecordsTest, QueueRowsAreDecodedFromTheirValues) {
  const TimerKey timer{kSampleShard, 5, kSampleInstance, 1}, gated{kSampleShard, 6, kSampleInstance, 1};
  const ReadyKey ready{kSampleShard, kSampleLane, 7, kSampleInstance, 1};
  Write([&](Batch& b) {
    PutTimer(b, timer, false, "");
    PutTimer(b, gated, true, "");
    PutReady(b, ready, "tenant", "lane");
  });
  auto row = store_.Scan(Family::kQueues, "t", "u");
  EXPECT_EQ(TimerKey::Decode(row->key()), timer);
  EXPECT_FALSE(DecodeTimer(row->value())->gated);
  row->Next();
  EXPECT_EQ(TimerKey::Decode(row->key()), gated);
  EXPECT_TRUE(DecodeTimer(row->value())->gated) << "gated, though its lane is empty";
  row = store_.Scan(Family::kQueues, "r", "s");
  EXPECT_EQ(ReadyKey::Decode(row->key()), ready);
  EXPECT_EQ(DecodeReady(row->value())->tenant, "tenant");
  EXPECT_EQ(DecodeReady(row->value())->lane, "lane");
  Write([&](Batch& b) {
    DeleteTimer(b, timer);
    DeleteTimer(b, gated);
    DeleteReady(b, ready);
  });
  EXPECT_EQ(store_.rows(Family::kQueues), 0U);
}

TEST_F(RecordsTest, AnUnreadableRowIsNamedByTableAndKeyInHex) {
  Write([&](Batch& b) { b.Put(Family::kInstances, HeadKey(kSampleInstance), std::string("\0\xff\xff", 3)); });
  const auto head = GetHead(store_, kSampleInstance);
  EXPECT_EQ(head.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(head.status().message()), HasSubstr("instance heads with key 680102019012345678"));
  Write([&](Batch& b) { b.Put(Family::kInstances, HeadKey(kSampleInstance), "\x09rest"); });
  EXPECT_THAT(std::string(GetHead(store_, kSampleInstance).status().message()), HasSubstr("algorithm 9"));
}

TEST_F(RecordsTest, GarbageIsDataLossOrARowButNeverACrash) {
  // Text fields that are not UTF-8 would be logged one by one.
  google::protobuf::LogSilencer silence;
  std::mt19937_64 random(7);
  const std::string good = [] {
    MemoryStore store;
    Batch batch;
    PutHead(batch, kSampleInstance, Filled<stored::InstanceHead>());
    EXPECT_TRUE(store.Write(batch, Sync::kYes).ok());
    return FirstValue(store, Family::kInstances, 'h');
  }();
  std::size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    if (round % 2 == 0) {
      bytes.assign(random() % 80, '\0');
      for (char& c : bytes) c = static_cast<char>(random());
      if (!bytes.empty() && round % 4 == 0) bytes[0] = 0;
    } else {
      bytes[random() % bytes.size()] = static_cast<char>(random());
      bytes.resize(random() % 2 == 0 ? bytes.size() : random() % bytes.size());
    }
    const auto check = [&](const absl::Status& status) {
      if (status.ok()) return;
      ++refused;
      ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    };
    check(DecodeHead(bytes).status());
    check(DecodeState(bytes).status());
    check(DecodeTimer(bytes).status());
    check(DecodeReady(bytes).status());
    check(DecodeOutbox(bytes).status());
    check(DecodeTell(bytes).status());
    check(DecodeSweep(bytes).status());
    check(DecodeMembership(bytes).status());
    check(DecodeDedupe(bytes).status());
    check(DecodePause(bytes).status());
    check(DecodeJournal(kSampleShard, 1, bytes).status());
    check(DecodeAnchor(kSampleShard, 1, bytes).status());
    TimerKey::Decode(bytes);
    ReadyKey::Decode(bytes);
    InstanceOfKey(bytes);
  }
  EXPECT_GT(refused, 50'000U);
}

TEST(Keys, DecodeIsTheOppositeOfEncodeAndRefusesAllElse) {
  const TimerKey timer{kSampleShard, INT64_MAX, kSampleInstance, 0xFFFF};
  const ReadyKey ready{kSampleShard, kSampleLane, 0, kSampleInstance, 0};
  EXPECT_EQ(TimerKey::Decode(timer.Encode()), timer);
  EXPECT_EQ(ReadyKey::Decode(ready.Encode()), ready);
  EXPECT_EQ(TimerKey::Decode(ready.Encode()), std::nullopt);
  EXPECT_EQ(ReadyKey::Decode(timer.Encode()), std::nullopt);
  std::string key(timer.Encode().view());
  EXPECT_EQ(TimerKey::Decode(key + "x"), std::nullopt);
  key[3] = '\x80';
  EXPECT_EQ(TimerKey::Decode(key), std::nullopt) << "a time below zero";
  key = timer.Encode().view();
  key[11 + 6] = '\x40';
  EXPECT_EQ(TimerKey::Decode(key), std::nullopt) << "an instance that is no version 7";
  key = ready.Encode().view();
  key[11] = '\x80';
  EXPECT_EQ(ReadyKey::Decode(key), std::nullopt) << "a time below zero";
  EXPECT_EQ(InstanceOfKey(HeadKey(kSampleInstance)), kSampleInstance);
  EXPECT_EQ(InstanceOfKey(IndexKey(kSampleShard, 1, kSampleHash, kSampleInstance)), kSampleInstance);
  EXPECT_EQ(InstanceOfKey(MarksKey(kSampleShard)), std::nullopt);
  EXPECT_EQ(SequenceOfKey(JournalKey(kSampleShard, 0x0102030405060708)), 0x0102030405060708U);
}

TEST(Keys, SortAsTheirTimesAndSequencesDo) {
  const auto due = [](std::int64_t ms, std::uint16_t name) {
    return std::string(TimerKey{kSampleShard, ms, kSampleInstance, name}.Encode().view());
  };
  EXPECT_LT(due(255, 9), due(256, 1));
  EXPECT_LT(due(256, 1), due(256, 2));
  EXPECT_LT(JournalKey(ShardId{1}, 0xFFFF).view(), JournalKey(ShardId{2}, 0).view());
  EXPECT_LT(JournalKey(ShardId{1}, 0xFF).view(), JournalKey(ShardId{1}, 0x100).view());
}

}  // namespace
}  // namespace smsflow::storage
