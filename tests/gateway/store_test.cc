#include "gateway/store.h"

#include <gtest/gtest.h>

#include <functional>

#include "absl/strings/escaping.h"
#include "gateway/rows.h"
#include "smsflow/stored/v1/gateway.pb.h"
#include "storage/memory_store.h"
#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

using storage::Family;
using storage::MemoryStore;

std::unique_ptr<Store> Open(MemoryStore& rows, std::int64_t now_ms = kNow) {
  auto store = Store::Open(rows, "g1", now_ms);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? std::move(*store) : nullptr;
}

Record Intent(std::int64_t deadline_ms = kNow + kHour) {
  return {deadline_ms, std::nullopt, About::kNotSaid, "", kNow};
}
Record Result(Reported result, std::int64_t deadline_ms = kNow + kHour) {
  return {deadline_ms, result, About::kNotSaid, "", kNow};
}

std::string Find(const Store& store, const AttemptId& attempt) {
  const auto known = store.Find(attempt);
  EXPECT_TRUE(known.ok());
  if (!known.ok() || !known->has_value()) return "nothing";
  return (*known)->result.has_value() ? std::string(NameOf(*(*known)->result)) : "intent";
}

std::string Unanswered(const Store& store) {
  const auto reports = store.Unanswered(std::nullopt, 1000);
  EXPECT_TRUE(reports.ok());
  return reports.ok() ? Told(*reports) : "error";
}

TEST(GatewayStore, KeepsItsUuid) {
  MemoryStore rows, others;
  const std::string uuid = Open(rows)->uuid();
  EXPECT_EQ(uuid.size(), 36u);
  EXPECT_EQ(uuid[14], '4');
  rows.Crash();
  EXPECT_EQ(Open(rows)->uuid(), uuid);
  EXPECT_NE(Open(others)->uuid(), uuid);
}

TEST(GatewayStore, RefusesAnotherGatewaysAndANewerFormat) {
  MemoryStore rows;
  Open(rows);
  const auto other = Store::Open(rows, "g2", kNow);
  EXPECT_EQ(other.status().code(), absl::StatusCode::kFailedPrecondition);
  storage::Batch batch;
  stored::v1::GatewayMeta meta;
  meta.set_format(kStoreFormat + 1);
  meta.set_gateway("g1");
  batch.Put(Family::kMeta, std::string("M\0\0", 3), std::string(1, '\0') + meta.SerializeAsString());
  ASSERT_TRUE(rows.Write(batch, storage::Sync::kYes).ok());
  const auto newer = Store::Open(rows, "g1", kNow);
  EXPECT_EQ(newer.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(newer.status().message().find("newer"), absl::string_view::npos);
}

TEST(GatewayStore, SeesWhatIsNotYetCommitted) {
  MemoryStore rows;
  auto store = Open(rows);
  EXPECT_EQ(Find(*store, Attempt(1)), "nothing");
  store->Put(Attempt(1), Intent(), true);
  EXPECT_EQ(Find(*store, Attempt(1)), "intent");
  store->Put(Attempt(1), Result(Reported::kSent), false);
  EXPECT_EQ(Find(*store, Attempt(1)), "SENT");
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(Find(*store, Attempt(1)), "SENT");
  EXPECT_EQ(Find(*store, Attempt(1, 2)), "nothing");
}

TEST(GatewayStore, WhatIsCommittedOutlivesAPowerCut) {
  MemoryStore rows;
  {
    auto store = Open(rows);
    store->Put(Attempt(1), Result(Reported::kSent), true);
    ASSERT_TRUE(store->Commit().ok());
    store->Put(Attempt(2), Result(Reported::kSent), true);  // never committed
  }
  rows.Crash();
  auto store = Open(rows);
  EXPECT_EQ(Find(*store, Attempt(1)), "SENT");
  EXPECT_EQ(Find(*store, Attempt(2)), "nothing");
}

TEST(GatewayStore, AnIntentIsUnknownAfterARestart) {
  MemoryStore rows;
  {
    auto store = Open(rows);
    store->Put(Attempt(1), Intent(), true);
    store->Put(Attempt(2), Result(Reported::kDelivered), true);
    ASSERT_TRUE(store->Commit().ok());
  }
  rows.Crash();
  Open(rows);
  rows.Crash();  // it was made UNKNOWN durably
  auto store = Open(rows);
  EXPECT_EQ(Find(*store, Attempt(1)), "UNKNOWN");
  EXPECT_EQ(Find(*store, Attempt(2)), "DELIVERED");
  const auto reports = store->Unanswered(std::nullopt, 1000);
  ASSERT_EQ(reports->size(), 2u);
  EXPECT_EQ(Told(*reports), "UNKNOWN restarted, DELIVERED");
}

TEST(GatewayStore, AnAnsweredResultIsNotRepeatedButAStrongerOneIs) {
  MemoryStore rows;
  auto store = Open(rows);
  store->Put(Attempt(1), Result(Reported::kSent), true);
  ASSERT_TRUE(store->Commit().ok());
  ASSERT_TRUE(store->Answered(Attempt(1), Reported::kAccepted).ok());
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(Unanswered(*store), "SENT") << "the answer was to another word";
  ASSERT_TRUE(store->Answered(Attempt(1), Reported::kSent).ok());
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(rows.unsynced(), 1u) << "an answer alone is worth no sync";
  EXPECT_EQ(Unanswered(*store), "");
  store->Put(Attempt(1), Result(Reported::kDelivered), false);
  ASSERT_TRUE(store->Answered(Attempt(1), Reported::kSent).ok());
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(Unanswered(*store), "DELIVERED");
}

TEST(GatewayStore, UnansweredComesInPages) {
  MemoryStore rows;
  auto store = Open(rows);
  for (std::uint64_t n = 0; n < 10; ++n) store->Put(Attempt(n), n == 5 ? Intent() : Result(Reported::kSent), true);
  ASSERT_TRUE(store->Commit().ok());
  std::optional<AttemptId> after;
  std::vector<std::size_t> sizes;
  for (;;) {
    const auto page = store->Unanswered(after, 4);
    ASSERT_TRUE(page.ok());
    if (page->empty()) break;
    sizes.push_back(page->size());
    after = page->back().attempt;
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{4, 4, 1})) << "an intent has nothing to tell";
}

TEST(GatewayStore, ForgetsEightDaysAfterTheDeadlineAndRemembersThatItDid) {
  MemoryStore rows;
  {
    auto store = Open(rows);
    store->Put(Attempt(1), Intent(kNow), true);
    store->Put(Attempt(2), Result(Reported::kNeverSeen, kNow + 5), true);
    store->Put(Attempt(3), Result(Reported::kSent, kNow + 10), true);
    ASSERT_TRUE(store->Commit().ok());
    EXPECT_EQ(*store->Prune(kNow + kKeepMs - 1, 100), 0u);
    EXPECT_EQ(store->pruned_ms(), 0);
    EXPECT_EQ(*store->Prune(kNow + kKeepMs + 5, 1), 1u) << "in pieces, too";
    EXPECT_EQ(store->pruned_ms(), kNow);
    EXPECT_EQ(*store->Prune(kNow + kKeepMs + 5, 100), 1u);
    EXPECT_EQ(*store->Prune(kNow + kKeepMs + 5, 100), 0u);
    EXPECT_EQ(Find(*store, Attempt(1)), "nothing");
    EXPECT_EQ(Find(*store, Attempt(2)), "nothing");
    EXPECT_EQ(Find(*store, Attempt(3)), "SENT");
  }
  rows.Crash();
  EXPECT_EQ(Open(rows)->pruned_ms(), kNow + 5);
  EXPECT_EQ(rows.rows(Family::kInstances), 1u);
  EXPECT_EQ(rows.rows(Family::kQueues), 2u);
}

TEST(GatewayStore, MarksOnlyRise) {
  MemoryStore rows;
  {
    auto store = Open(rows);
    store->Note({ShardId{3}, 1, 50});
    store->Note({ShardId{3}, 1, 40});
    store->Note({ShardId{7}, 2, 1});
    store->Put(Attempt(1), Intent(), true);
    ASSERT_TRUE(store->Commit().ok());
    store->Note({ShardId{3}, 1, 60, "sealed"});
    store->Note({ShardId{7}, 1, 99});
    store->Put(Attempt(1), Result(Reported::kSent), false);
    ASSERT_TRUE(store->Commit().ok());
  }
  rows.Crash();
  const auto marks = Open(rows)->Marks();
  ASSERT_EQ(marks.size(), 2u);
  EXPECT_EQ(marks[0].shard.value, 3);
  EXPECT_EQ(marks[0].sequence, 60u);
  EXPECT_EQ(marks[0].seal, "sealed");
  EXPECT_EQ(marks[1].epoch, 2u);
  EXPECT_EQ(marks[1].sequence, 1u);
}

TEST(GatewayStore, ASealIsKeptInWhateverOrderEqualMarksCome) {
  MemoryStore rows;
  {
    auto store = Open(rows);
    store->Note({ShardId{3}, 1, 50});
    store->Note({ShardId{3}, 1, 50, "sealed"});
    store->Note({ShardId{7}, 1, 9, "sealed"});
    store->Note({ShardId{7}, 1, 9});
    ASSERT_TRUE(store->Commit().ok());
    store->Note({ShardId{3}, 1, 50});
    store->Note({ShardId{8}, 1, 9});
    ASSERT_TRUE(store->Commit().ok());
    store->Note({ShardId{8}, 1, 9, "sealed"});  // the seal comes with a later message
    ASSERT_TRUE(store->Commit().ok());
    store->Put(Attempt(1), Intent(), true);
    ASSERT_TRUE(store->Commit().ok());
  }
  rows.Crash();
  const auto marks = Open(rows)->Marks();
  ASSERT_EQ(marks.size(), 3u);
  for (const auto& mark : marks) EXPECT_EQ(mark.seal, "sealed") << mark.shard.value;
}

TEST(GatewayStore, OnlyWholeBatchesOfMarksAreShown) {
  MemoryStore rows;
  auto store = Open(rows);
  store->Note({ShardId{3}, 1, 50, "sealed"});
  ASSERT_TRUE(store->Commit().ok());
  store->Note({ShardId{3}, 1, 55});  // its batch goes on: the sealed one is still to come
  ASSERT_EQ(store->Marks().size(), 1u);
  EXPECT_EQ(store->Marks()[0].sequence, 50u);
  store->Note({ShardId{3}, 1, 60, "sealed too"});
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(store->Marks()[0].sequence, 60u);
  EXPECT_EQ(store->Marks()[0].seal, "sealed too");
}

// The bytes on disk. A change here is a new format: raise kStoreFormat, and read the old one.
TEST(GatewayStore, WhatWasWrittenLongAgoIsReadAsWhatWasWrittenJustNow) {
  constexpr std::uint64_t kMany = 10'000;  // more than stay in memory
  storage::MemoryStore rows;
  auto store = *Store::Open(rows, "g1", kNow);
  const auto record = [](std::uint64_t n) {
    Record one;
    one.deadline_ms = kNow + static_cast<std::int64_t>(n);
    return one;
  };
  for (std::uint64_t n = 0; n < kMany; ++n) {
    store->Put(Attempt(n), record(n), /*is_new=*/true);
    if (n % 100 != 99) continue;
    ASSERT_TRUE(store->Commit().ok());
  }
  Record changed = record(0);
  changed.result = Reported::kSent;
  store->Put(Attempt(0), changed, /*is_new=*/false);
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(**store->Find(Attempt(0)), changed);
  for (std::uint64_t n = 1; n < kMany; ++n) ASSERT_EQ(**store->Find(Attempt(n)), record(n)) << n;
  ASSERT_EQ(*store->Prune(kNow + static_cast<std::int64_t>(kMany) + kKeepMs, 2 * kMany), kMany);
  for (std::uint64_t n = 0; n < kMany; ++n) ASSERT_FALSE(store->Find(Attempt(n))->has_value()) << n;
}

TEST(GatewayStore, Golden) {
  MemoryStore rows;
  auto store = Open(rows);
  const AttemptId attempt{*InstanceId::Parse("0197a6b2-3c00-7003-8000-000000000001"), 258};
  store->Note({ShardId{3}, 2, 300});
  store->Put(attempt, {1'800'000'000'000, Reported::kFailedTransient, About::kRoute, "throttled", 1'799'999'999'999},
             true);
  ASSERT_TRUE(store->Commit().ok());
  const auto dump = [&rows](Family family, std::string_view till) {
    std::vector<std::string> lines;
    for (auto cursor = rows.Scan(family, "", till); cursor->Valid(); cursor->Next()) {
      lines.push_back(absl::BytesToHexString(std::string(cursor->key())) + " = " +
                      absl::BytesToHexString(std::string(cursor->value())));
    }
    return lines;
  };
  EXPECT_EQ(dump(Family::kInstances, "\xff"),
            (std::vector<std::string>{"4100030197a6b23c007003800000000000000100000102 = "
                                      "000880a0f1c2b1341005180422097468726f74746c656428ff9ff1c2b134"}));
  EXPECT_EQ(dump(Family::kQueues, "\xff"),
            (std::vector<std::string>{"440000000001a3185c50000197a6b23c007003800000000000000100000102 = ",
                                      "5500030197a6b23c007003800000000000000100000102 = "}));
  const auto meta = dump(Family::kMeta, "\xff");
  ASSERT_EQ(meta.size(), 2u);
  EXPECT_EQ(meta[0].substr(0, 16), "4d0000 = 0008031");  // format 3, then the uuid, which is random
  EXPECT_EQ(meta[1], "530003 = 00080210ac02");
}

// What a carrier that knows parts adds to it.
TEST(GatewayStore, GoldenOfParts) {
  using workflows::submission::Answer;
  using workflows::submission::Heard;
  using workflows::submission::PartsRule;
  MemoryStore rows;
  auto store = Open(rows);
  const AttemptId attempt{*InstanceId::Parse("0197a6b2-3c00-7003-8000-000000000001"), 1};
  Record record{1'800'000'000'000, std::nullopt, About::kNotSaid, "", 1'799'999'999'999};
  record.data = {PartsRule::kLast, {{Answer::kAccepted, 3}, {Answer::kRefused, 0}}, {3, "throttled"}};
  record.account = "acme";
  record.ids = {"1A", ""};
  record.tenant = "clinic";
  store->Put(attempt, record, true);
  store->PutId("acme", "1A", {attempt, 1, 1'799'999'999'999, {258, 772}});
  store->Park({1'799'999'999'999, 5},
              {"acme", "1b", "27", Heard::kDelivered, About::kRoute, "other", {258, 772}, 1'799'999'999'999});
  store->PutForms({"acme", 1, 2});
  ASSERT_TRUE(store->Commit().ok());
  const auto read = store->Find(attempt);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(**read, record);
  const auto dump = [&rows](Family family, std::string_view from, std::string_view till) {
    std::string lines;
    for (auto cursor = rows.Scan(family, from, till); cursor->Valid(); cursor->Next()) {
      lines += absl::BytesToHexString(std::string(cursor->key())) + " = " +
               absl::BytesToHexString(std::string(cursor->value())) + "\n";
    }
    return lines;
  };
  EXPECT_EQ(dump(Family::kInstances, "", "\xff"),
            "4100030197a6b23c007003800000000000000100000001 = "
            "000880a0f1c2b13428ff9ff1c2b13432230803120202051a02030020032a097468726f74746c6564320461636d653a0231413a00"
            "3a06636c696e6963\n");
  EXPECT_EQ(dump(Family::kIndexes, "", "\xff"),
            "49000061636d65003141000197a6b23c00700380000000000000010000000101 = "
            "0008ff9ff1c2b134120a0d020100001504030000\n");
  EXPECT_EQ(dump(Family::kQueues, "R", "S"),
            "520000000001a3185c4fff0000000000000005 = "
            "000a0461636d65120231621a0232372010280432056f7468657238ff9ff1c2b134420a0d020100001504030000\n");
  EXPECT_EQ(dump(Family::kMeta, "F", "G"),
            "46000061636d65 = "
            "0008011002\n");
}

// 264 is 8, DELIVERED, to whoever keeps one byte of it.
TEST(GatewayStore, ANumberThatIsNoneIsDamageAndNotAnother) {
  const AttemptId attempt{*InstanceId::Parse("0197a6b2-3c00-7003-8000-000000000001"), 1};
  const std::string key = absl::HexStringToBytes("4100030197a6b23c007003800000000000000100000001");
  const auto find = [&](const stored::v1::GatewayAttempt& row) {
    MemoryStore rows;
    auto store = Open(rows);
    storage::Batch batch;
    PutRow(batch, Family::kInstances, key, row);
    EXPECT_TRUE(rows.Write(batch, storage::Sync::kYes).ok());
    return store->Find(attempt);
  };
  const auto changed = [](const std::function<void(stored::v1::GatewayAttempt&)>& change) {
    stored::v1::GatewayAttempt row;
    row.set_deadline_ms(1'800'000'000'000);
    change(row);
    return row;
  };
  using Row = stored::v1::GatewayAttempt;
  const auto good =
      find(changed([](Row& row) { row.set_result(9), row.set_about(4), row.mutable_parts()->set_rule(3); }));
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_EQ((*good)->result, Reported::kExpired);
  for (const auto& bad :
       {changed([](Row& row) { row.set_result(264); }), changed([](Row& row) { row.set_result(10); }),
        changed([](Row& row) { row.set_about(5); }), changed([](Row& row) { row.mutable_parts()->set_rule(256); }),
        changed([](Row& row) { row.mutable_parts()->set_failure_about(259); }),
        changed([](Row& row) { row.mutable_parts()->set_answers("\x02\x07"); }),
        changed([](Row& row) { row.mutable_parts()->set_answers(std::string(256, '\x02')); })}) {
    EXPECT_TRUE(absl::IsDataLoss(find(bad).status())) << bad.ShortDebugString();
  }
}

TEST(GatewayStore, AReceiptOrAFormThatIsNoneIsDamage) {
  for (const auto& [heard, about] :
       std::vector<std::pair<std::uint32_t, std::uint32_t>>{{0, 0}, {3, 0}, {32, 0}, {272, 0}, {16, 5}, {16, 256}}) {
    MemoryStore rows;
    auto store = Open(rows);
    stored::v1::GatewayReceipt row;
    row.set_heard(heard);
    row.set_about(about);
    storage::Batch batch;
    PutRow(batch, Family::kQueues, absl::HexStringToBytes("520000000001a3185c4fff0000000000000005"), row);
    ASSERT_TRUE(rows.Write(batch, storage::Sync::kYes).ok());
    EXPECT_TRUE(absl::IsDataLoss(store->Parked().status())) << heard << " " << about;
  }
  MemoryStore rows;
  auto store = Open(rows);
  stored::v1::GatewayIdForms row;
  row.set_tlv(257);
  storage::Batch batch;
  PutRow(batch, Family::kMeta, absl::HexStringToBytes("46000061636d65"), row);
  ASSERT_TRUE(rows.Write(batch, storage::Sync::kYes).ok());
  EXPECT_TRUE(absl::IsDataLoss(store->Forms().status()));
}

// A store of the first format had attempts and marks alone, one of the second no tenants.
class OlderFormat : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(All, OlderFormat, testing::Values(1, 2));
TEST_P(OlderFormat, IsTakenAsItIs) {
  MemoryStore rows;
  storage::Batch batch;
  stored::v1::GatewayMeta meta;
  meta.set_format(GetParam());
  meta.set_gateway("g1");
  meta.set_store_uuid("the uuid");
  meta.set_pruned_ms(17);
  batch.Put(Family::kMeta, std::string("M\0\0", 3), std::string(1, '\0') + meta.SerializeAsString());
  ASSERT_TRUE(rows.Write(batch, storage::Sync::kYes).ok());
  auto store = Open(rows);
  EXPECT_EQ(store->uuid(), "the uuid");
  EXPECT_EQ(store->pruned_ms(), 17);
  EXPECT_EQ(rows.unsynced(), 0u);
  const auto row = rows.Get(Family::kMeta, std::string("M\0\0", 3));
  ASSERT_TRUE(meta.ParseFromString((*row)->substr(1)));
  EXPECT_EQ(meta.format(), kStoreFormat);
}

TEST(GatewayStore, WhatIsToBeToldAgainHasItsTenant) {
  MemoryStore rows;
  auto store = Open(rows);
  const AttemptId attempt{*InstanceId::Parse("0197a6b2-3c00-7003-8000-000000000001"), 1};
  Record record{5, Reported::kSent, About::kNotSaid, "", 5};
  record.tenant = "clinic";
  store->Put(attempt, record, true);
  ASSERT_TRUE(store->Commit().ok());
  const auto reports = Open(rows)->Unanswered(std::nullopt, 10);
  ASSERT_TRUE(reports.ok());
  ASSERT_EQ(reports->size(), 1u);
  EXPECT_EQ(reports->front().tenant, "clinic");
}

const OldName kOldName{"clinic", "process-17"};

Record OfOldEngine(Record record) {
  record.old = kOldName;
  return record;
}

TEST(GatewayStore, GoldenOfAnOldEnginesAttempt) {
  MemoryStore rows;
  auto store = Open(rows);
  const AttemptId attempt{*InstanceId::Parse("0197a6b2-3c00-7003-8000-000000000001"), 1};
  const Record record = OfOldEngine(Result(Reported::kDelivered, 1'800'000'000'000));
  store->Put(attempt, record, true);
  ASSERT_TRUE(store->Commit().ok());
  const auto row =
      rows.Get(Family::kInstances, absl::HexStringToBytes("4100030197a6b23c007003800000000000000100000001"));
  ASSERT_TRUE(row.ok() && row->has_value());
  EXPECT_EQ(absl::BytesToHexString(**row),
            "000880a0f1c2b13410082880a0f1c2b13442140a06636c696e6963120a70726f636573732d3137");
  const auto known = store->Find(attempt);
  ASSERT_TRUE(known.ok() && known->has_value());
  EXPECT_EQ(**known, record);
}

// What such an engine hears twice it takes for two things, so after a restart only what ends the SMS is said again.
TEST(GatewayStore, TellsAnOldEngineOnceButWhatEndsItsSms) {
  MemoryStore rows;
  {
    auto store = Open(rows);
    for (std::uint64_t n = 1; n <= 7; ++n) store->Put(Attempt(n), OfOldEngine(Intent()), true, false);
    ASSERT_TRUE(store->Commit().ok());
    const Reported results[] = {Reported::kSent,    Reported::kFailedTransient, Reported::kFailedPermanent,
                                Reported::kExpired, Reported::kInvalid,         Reported::kDelivered};
    for (std::uint64_t n = 1; n <= 6; ++n) store->Put(Attempt(n), OfOldEngine(Result(results[n - 1])), false);
    ASSERT_TRUE(store->Commit().ok());
  }
  rows.Crash();
  auto store = Open(rows);
  EXPECT_EQ(Find(*store, Attempt(7)), "UNKNOWN") << "an intent is one also here";
  EXPECT_EQ(Unanswered(*store), "INVALID, DELIVERED");
  const auto reports = store->Unanswered(std::nullopt, 10);
  ASSERT_EQ(reports->size(), 2u);
  EXPECT_EQ(reports->front().old, kOldName);
  ASSERT_TRUE(store->Answered(Attempt(5), Reported::kInvalid).ok());
  ASSERT_TRUE(store->Answered(Attempt(6), Reported::kDelivered).ok());
  ASSERT_TRUE(store->Commit().ok());
  EXPECT_EQ(Unanswered(*store), "");
}

}  // namespace
}  // namespace smsflow::gateway
