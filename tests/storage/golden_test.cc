// Every key, every stored record, the names under the index key and the high-water file, byte for byte.
#include "tests/storage/golden.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "rocksdb/file_system.h"
#include "storage/accounts.h"
#include "storage/high_water_file.h"
#include "storage/index_keys.h"
#include "storage/journal.h"
#include "storage/memory_store.h"
#include "storage/records.h"
#include "tests/storage/sample_rows.h"
#include "tests/storage/temporary_folder.h"
#include "tests/storage/whole_rows.h"

namespace smsflow::storage {
namespace {

constexpr std::string_view kFamilyNames[] = {"meta", "instances", "journal", "queues", "indexes"};

// What `put` put, as lines.
std::string Lines(const std::string& name, const std::function<void(Batch&)>& put) {
  Batch batch;
  put(batch);
  MemoryStore store;
  EXPECT_TRUE(store.Write(batch, Sync::kYes).ok());
  std::string lines;
  for (int i = 0; i < kFamilies; ++i) {
    const auto family = static_cast<Family>(i);
    for (auto row = store.Scan(family, {}, {}); row->Valid(); row->Next())
      lines += name + ", family: " + std::string(kFamilyNames[i]) + "\n" + name + ", key: " + Hex(row->key()) + "\n" +
               name + ", value: " + (row->value().empty() ? "nothing" : Hex(row->value())) + "\n";
  }
  return lines;
}

void AppendSampleRecord(Batch& batch, ChainHead& head) {
  AppendJournal(batch, kSampleShard, head, 5, kSampleInstance, "the body");
}

TEST(Golden, EveryRow) {
  const ShardId shard = kSampleShard, other{0x0304};
  const TimerKey timer{shard, 0x0190'1234'5679, kSampleInstance, 0xFF00};
  const ReadyKey ready{shard, kSampleLane, 0x0190'1234'5679, kSampleInstance, 3};
  auto sweep = Filled<stored::SweepRow>();
  sweep.set_command(std::string(16, 'c'));
  ChainHead head{6, {}};
  head.chain.fill(0xC0);

  std::string lines;
  const auto add = [&](const std::string& name, const std::function<void(Batch&)>& put) { lines += Lines(name, put); };
  add("instance head", [&](Batch& b) { PutHead(b, kSampleInstance, Filled<stored::InstanceHead>()); });
  add("instance state", [&](Batch& b) { PutState(b, kSampleInstance, Filled<stored::InstanceState>()); });
  add("journal record", [&](Batch& b) { AppendSampleRecord(b, head); });
  JournalRecord record{{7, 5, kSampleInstance, {}, head.chain, false}, ""};
  record.header.digest.fill(0xD0);
  add("journal record, erased", [&](Batch& b) { EraseJournalBody(b, shard, record); });
  add("journal body", [&](Batch& b) {
    ChainHead empty;
    AppendJournal(b, shard, empty, 0, kSampleInstance, EncodedBody(Filled<stored::JournalBody>()));
  });
  add("chain anchor", [&](Batch& b) { PutAnchor(b, shard, {head, 65536}); });
  add("timer", [&](Batch& b) { PutTimer(b, timer, false, ""); });
  add("timer, gated", [&](Batch& b) { PutTimer(b, timer, true, "lane"); });
  add("ready row", [&](Batch& b) { PutReady(b, ready, "tenant", "lane"); });
  add("outbox row", [&](Batch& b) { PutOutbox(b, shard, 9, Filled<stored::OutboxRow>()); });
  add("tell", [&](Batch& b) { PutTell(b, shard, other, 9, Filled<stored::TellRow>()); });
  add("tell with a sweep", [&](Batch& b) {
    stored::BroadcastCommand command;
    FillEveryField(*command.mutable_sweep());
    stored::TellRow tell;
    tell.set_broadcast(command.SerializeAsString());
    PutTell(b, shard, other, 10, tell);
  });
  add("tell with a pause", [&](Batch& b) {
    stored::BroadcastCommand command;
    FillEveryField(*command.mutable_pause());
    stored::TellRow tell;
    tell.set_broadcast(command.SerializeAsString());
    PutTell(b, shard, other, 11, tell);
  });
  add("applied tell", [&](Batch& b) { PutAppliedTell(b, other, shard, 9); });
  add("feed", [&](Batch& b) {
    auto feed = Filled<stored::FeedRow>();
    feed.set_digest(std::string(16, 'd'));
    PutFeed(b, shard, feed);
  });
  add("outbox row with a dead letter", [&](Batch& b) {
    stored::OutboxRow row;
    row.set_channel(0xFF00);
    row.set_body(Filled<stored::DeadLetterBody>().SerializeAsString());
    PutOutbox(b, shard, 9, row);
  });
  add("sweep", [&](Batch& b) { PutSweep(b, shard, sweep); });
  add("shard marks", [&](Batch& b) { PutMarks(b, shard, Filled<stored::ShardMarks>()); });
  add("index row", [&](Batch& b) { PutIndex(b, shard, 2, kSampleHash, kSampleInstance); });
  add("membership",
      [&](Batch& b) { PutMembership(b, shard, 1, kSampleLane, kSampleHash, Filled<stored::MembershipRow>()); });
  add("dedupe row", [&](Batch& b) { PutDedupe(b, shard, kSampleHash, Filled<stored::DedupeRow>()); });
  add("pause", [&](Batch& b) { PutPause(b, shard, PauseScope::kTenant, kSampleHash, Filled<stored::PauseRow>()); });
  add("policy", [&](Batch& b) { PutPolicy(b, kSampleHash, "policy bytes"); });
  add("meta", [&](Batch& b) { PutMeta(b, Filled<stored::Meta>()); });
  add("account", [&](Batch& b) { PutAccount(b, 9, Filled<stored::AccountRow>()); });
  add("client", [&](Batch& b) { PutClient(b, 9, Filled<stored::ClientRow>()); });
  add("account change", [&](Batch& b) {
    AccountChain chain{8, {}};
    chain.hash.fill(0xC0);
    AppendAccountChange(b, chain, Filled<stored::AccountChange>());
  });
  ExpectGolden("rows.txt", lines);
}

TEST(Golden, EveryNameUnderTheIndexKey) {
  const IndexKeys keys("0123456789abcdef0123456789ABCDEF");
  std::string lines;
  const auto add = [&](const std::string& name, const auto& bytes) {
    lines += name + ": " + Hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()}) + "\n";
  };
  add("tenant", keys.Tenant("acme"));
  add("target", keys.Target("acme", "+41790000000"));
  add("index value", keys.IndexValue("acme", 1, "batch-1"));
  add("dedupe scope", keys.DedupeScope("acme", "+41790000000", "key-1"));
  add("lane", keys.Lane("acme", "lane"));
  add("pause", keys.Pause("acme", "batch-1"));
  add("check value", keys.CheckValue());
  add("mark seal", keys.MarkSeal(ShardId{3}, 1, 7));
  lines += "shard by target: " + std::to_string(keys.Shard(4096, "acme", "+41790000000", "key-1", 7).value) + "\n";
  lines += "shard by dedupe key: " + std::to_string(keys.Shard(4096, "acme", "", "key-1", 7).value) + "\n";
  lines += "shard by chance: " + std::to_string(keys.Shard(4096, "acme", "", "", 5000).value) + "\n";
  ExpectGolden("names.txt", lines);
}

TEST(Golden, TheHighWaterFile) {
  TemporaryFolder folder;
  const auto files = rocksdb::FileSystem::Default();
  const std::string path = folder / "high-water";
  ASSERT_TRUE(HighWaterFile::Create(*files, path, 3).ok());
  auto file = HighWaterFile::Open(files, path, false);
  ASSERT_TRUE(file.ok()) << file.status();
  (*file)->Note(ShardId{1}, {2, 0x0102030405060708});
  ASSERT_TRUE((*file)->Save().ok());
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  ASSERT_EQ(bytes.size(), 2 * 4096U);
  std::string lines;
  for (const std::size_t slot : {0, 1}) {
    std::string text = bytes.substr(slot * 4096, 4096);
    while (!text.empty() && text.back() == '\0') text.pop_back();
    lines += "slot " + std::to_string(slot) + ", before its padding of zeros: " + Hex(text) + "\n";
  }
  ExpectGolden("high_water.txt", lines);
}

// Names of different uses, and names put together differently, must not meet.
TEST(IndexKeys, KeepNamesApart) {
  const IndexKeys keys("0123456789abcdef0123456789ABCDEF"), others("0123456789abcdef0123456789ABCDEX");
  const std::vector<Hash16> all{keys.Target("ab", "c"),
                                keys.Target("a", "bc"),
                                keys.DedupeScope("ab", "c", ""),
                                keys.DedupeScope("ab", "", "c"),
                                keys.DedupeScope("a", "b", "c"),
                                keys.IndexValue("ab", 1, "c"),
                                keys.IndexValue("ab", 2, "c"),
                                keys.IndexValue("a", 1, "bc"),
                                keys.Pause("ab", "c"),
                                keys.Pause("a", "bc"),
                                keys.CheckValue(),
                                others.Target("ab", "c")};
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(all[i], all[j]) << i << " and " << j;
  EXPECT_NE(keys.Tenant("a"), keys.Lane("a", ""));
}

TEST(IndexKeys, WhatConcernsOneTargetLiesInOneShard) {
  const IndexKeys keys("0123456789abcdef0123456789ABCDEF");
  EXPECT_EQ(keys.Shard(64, "acme", "+41790000000", "one", 1), keys.Shard(64, "acme", "+41790000000", "two", 2));
  std::vector<int> counts(8);
  for (int i = 0; i < 8000; ++i) ++counts[keys.Shard(8, "acme", std::to_string(i), "", 0).value];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 200);
}

}  // namespace
}  // namespace smsflow::storage
