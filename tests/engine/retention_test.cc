// What goes in the end, and what of it stays.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/journal.h"
#include "storage/records.h"
#include "tests/engine/world.h"

namespace smsflow::engine {
namespace {

TEST(Payload, GoesAtTheEndAndIsNeverInTheJournal) {
  World world;
  std::shared_ptr<Inbox> inbox;
  auto session = world.Attach("g", "s1", {"t"}, 100, inbox);
  const auto parcel = world.Create("t", "a", {world.clock.wall_ms + 10, "", std::nullopt, ""}).id;
  world.AdvanceAndRun(20, 10);
  EXPECT_EQ((*storage::GetHead(world.memory, parcel))->payload(), "sealed");
  world.Report(*session, inbox->leases.at(0).attempt, "done");
  EXPECT_EQ((*storage::GetHead(world.memory, parcel))->payload(), "");
  const std::string prefix(storage::Key('j', parcel.shard()).view());
  for (auto rows = world.memory.Scan(storage::Family::kJournal, prefix, storage::PrefixEnd(prefix)); rows->Valid();
       rows->Next())
    EXPECT_EQ(rows->value().find("sealed"), std::string_view::npos);
}

TEST(Retention, ErasesAllButTheChain) {
  World world;
  std::shared_ptr<Inbox> inbox;
  auto session = world.Attach("g", "s1", {"t"}, 100, inbox);
  const auto parcel = world.Create("t", "a", {world.clock.wall_ms + 10, "red", std::nullopt, ""}, "key").id;
  world.AdvanceAndRun(20, 10);
  world.Report(*session, inbox->leases.at(0).attempt, "done");
  world.AdvanceAndRun(courier::kKeepMs + 1'000, 1'000);
  EXPECT_TRUE(world.StateOf(parcel).has_value());  // an idempotency key is kept for a day at least
  world.AdvanceAndRun(86'400'000, 3'600'000);
  EXPECT_FALSE(world.StateOf(parcel).has_value());
  EXPECT_EQ(world.memory.rows(storage::Family::kInstances), 0U);
  EXPECT_EQ(world.memory.rows(storage::Family::kIndexes), 0U);
  EXPECT_EQ(world.Violations(), "");
  const auto record = storage::GetJournal(world.memory, parcel.shard(), 1);
  ASSERT_TRUE(record.ok() && record->has_value());
  EXPECT_TRUE((*record)->header.erased);
  EXPECT_EQ(world.Send(parcel, courier::Simple(courier::kStop)).status.code(), absl::StatusCode::kNotFound);
}

// One that lives on holds a segment of ten; when it has gone too, the segment goes, and its anchor proves what it was.
TEST(Retention, ASegmentGoesWhenItsLastBodyHasGoneAndIsReadOnlyOnce) {
  EngineOptions options;
  options.segment_records = 10;
  World world(options);
  std::vector<InstanceId> parcels;
  for (int i = 0; i < 8; ++i)
    parcels.push_back(world.Create("t", "anna", {world.clock.wall_ms + 86'400'000, "", std::nullopt, ""}).id);
  const ShardId shard = parcels[0].shard();
  const auto stop = [&](int i) {
    EXPECT_TRUE(world.Send(parcels[static_cast<std::size_t>(i)], courier::Simple(courier::kStop)).status.ok());
  };
  for (const int i : {0, 1, 2, 3, 4, 6, 7}) stop(i);
  world.AdvanceAndRun(courier::kKeepMs + 10'000, 500);
  const auto record = [&](std::uint64_t sequence) { return *storage::GetJournal(world.memory, shard, sequence); };
  ASSERT_TRUE(record(1) && record(1)->header.erased && record(6) && !record(6)->header.erased) << world.Journal();

  std::vector<std::string> looks;
  world.store->on_scan = [&](storage::Family family, std::string_view from) {
    if (family == storage::Family::kJournal) looks.emplace_back(from);
  };
  world.AdvanceAndRun(20'000, 500);
  ASSERT_FALSE(looks.empty());
  for (const std::string& from : looks) EXPECT_EQ(storage::SequenceOfKey(from), 6U) << "not what it has seen";
  world.store->on_scan = nullptr;

  const storage::Digest chain = record(10)->header.chain;
  stop(5);
  world.AdvanceAndRun(courier::kKeepMs + 20'000, 500);
  EXPECT_FALSE(record(1) || record(10));
  EXPECT_TRUE(record(11).has_value());
  const auto anchor = storage::LastAnchor(world.memory, shard);
  ASSERT_TRUE(anchor.ok() && *anchor);
  EXPECT_EQ((*anchor)->head.sequence, 10U);
  EXPECT_EQ((*anchor)->head.chain, chain);
  EXPECT_EQ((*anchor)->count, 10U);
  world.Crash();
  world.Open();
  EXPECT_TRUE(world.Create("t", "anna", {world.clock.wall_ms + 10, "", std::nullopt, ""}).status.ok());
}

// A late report about the first attempt ended it while the second was out: nobody settled that one.
TEST(Retention, GivesBackTheCreditOfALeaseThatWasForgotten) {
  World world;
  std::shared_ptr<Inbox> inbox;
  auto session = world.Attach("g", "s1", {"t"}, 10, inbox);
  const auto parcel = world.Create("t", "a", {world.clock.wall_ms + 10, "", std::nullopt, ""}).id;
  world.AdvanceAndRun(20, 10);
  world.Report(*session, {parcel, 1}, "failed");
  world.AdvanceAndRun(200, 10);
  ASSERT_EQ(inbox->leases.size(), 2U);
  world.Report(*session, {parcel, 1}, "done");
  EXPECT_EQ(world.engine->TakeFigures().credit, 9U);
  world.AdvanceAndRun(courier::kKeepMs + 2'000, 1'000);
  EXPECT_FALSE(world.StateOf(parcel).has_value());
  EXPECT_EQ(world.engine->TakeFigures().credit, 10U);
  EXPECT_EQ(world.engine->TakeFigures().open_leases, 0U);
}

}  // namespace
}  // namespace smsflow::engine
