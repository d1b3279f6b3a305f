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
