#include <gtest/gtest.h>

#include "tests/engine/world.h"

namespace smsflow::engine {
namespace {

using courier::Parcel;

Parcel DueIn(const World& world, std::int64_t ms) { return {world.clock.wall_ms + ms, "", std::nullopt, ""}; }

TEST(Create, IsAnsweredOnceItIsStored) {
  World world;
  bool answered = false;
  CreateRequest request;
  request.workflow = courier::kWorkflow;
  request.tenant = "t";
  request.event = courier::Create(DueIn(world, 1000));
  world.store->power_cut_at = world.store->writes + 1;
  world.engine->Create(std::move(request), [&](const Answer&) { answered = true; });
  EXPECT_THROW(world.Run(), WatchedStore::PowerCut);
  EXPECT_FALSE(answered);
}

TEST(Create, ShardsByTargetAndCarriesItInTheId) {
  World world;
  const auto first = world.Create("t", "anna", DueIn(world, 1000));
  const auto second = world.Create("t", "anna", DueIn(world, 2000));
  ASSERT_TRUE(first.status.ok());
  EXPECT_EQ(first.id.shard(), second.id.shard());
  EXPECT_EQ(first.id.shard(), world.index_keys.Shard(4, "t", "anna", "", 0));
  EXPECT_EQ(first.answer, "created");
}

TEST(Create, SameKeyGivesTheFirstAnswerAlsoAfterARestart) {
  World world;
  const auto first = world.Create("t", "anna", DueIn(world, 1000), "k1");
  const auto again = world.Create("t", "anna", DueIn(world, 1000), "k1");
  EXPECT_EQ(again.id, first.id);
  EXPECT_TRUE(again.duplicate);
  world.Crash();
  world.Open();
  const auto later = world.Create("t", "anna", DueIn(world, 1000), "k1");
  EXPECT_EQ(later.id, first.id);
  EXPECT_EQ(later.answer, "created");
}

TEST(Create, SameKeyInOneRoundIsOneInstance) {
  World world;
  std::vector<Answer> answers;
  for (int i = 0; i < 100; ++i) {
    CreateRequest request;
    request.workflow = courier::kWorkflow;
    request.tenant = "t";
    request.dedupe_key = "k";
    request.fingerprint = std::string(16, 'x');
    request.event = courier::Create(DueIn(world, 1000));
    world.engine->Create(std::move(request), [&](Answer answer) { answers.push_back(std::move(answer)); });
  }
  world.Run();
  ASSERT_EQ(answers.size(), 100U);
  for (const Answer& answer : answers) EXPECT_EQ(answer.id, answers.front().id);
  EXPECT_EQ(world.engine->TakeFigures().created, 1U);
}

TEST(Create, SameKeyWithOtherContentIsRefusedAndAnotherTargetIsAnotherScope) {
  World world;
  const auto first = world.Create("t", "anna", DueIn(world, 1000), "k1");
  const auto other = world.Create("t", "anna", DueIn(world, 1000), "k1", std::string(16, 'g'));
  EXPECT_EQ(other.status.code(), absl::StatusCode::kAlreadyExists);
  const auto target = world.Create("t", "bert", DueIn(world, 1000), "k1");
  EXPECT_TRUE(target.status.ok());
  EXPECT_NE(target.id, first.id);
}

TEST(Create, OfAnUnknownWorkflowOrWhileDrainingOrOnAFullDiskIsRefused) {
  World world;
  CreateRequest unknown;
  unknown.workflow = 77;
  std::optional<Answer> answer;
  world.engine->Create(std::move(unknown), [&](Answer a) { answer = std::move(a); });
  EXPECT_EQ(answer->status.code(), absl::StatusCode::kInvalidArgument);

  const auto ask = [&] {
    CreateRequest request;
    request.workflow = courier::kWorkflow;
    request.tenant = "t";
    request.event = courier::Create(DueIn(world, 10));
    world.engine->Create(std::move(request), [&](Answer a) { answer = std::move(a); });
    world.Run();
    return answer->status.code();
  };
  world.engine->Drain(true);
  EXPECT_EQ(ask(), absl::StatusCode::kUnavailable);
  world.engine->Drain(false);
  world.engine->SetDiskGuard(true);
  EXPECT_EQ(ask(), absl::StatusCode::kResourceExhausted);
  world.engine->SetDiskGuard(false);
  EXPECT_EQ(ask(), absl::StatusCode::kOk);
}

TEST(Create, BeyondTheQueueIsRefusedAndNothingElseIsLost) {
  EngineOptions options;
  options.queue_max = 10;
  World world(options);
  int stored = 0;
  int refused = 0;
  for (int i = 0; i < 25; ++i) {
    CreateRequest request;
    request.workflow = courier::kWorkflow;
    request.tenant = "t";
    request.event = courier::Create(DueIn(world, 10));
    world.engine->Create(std::move(request), [&](const Answer& answer) {
      if (answer.status.ok()) {
        ++stored;
        return;
      }
      ++refused;
      EXPECT_EQ(answer.status.code(), absl::StatusCode::kResourceExhausted);
    });
  }
  world.Run();
  EXPECT_EQ(stored, 10);
  EXPECT_EQ(refused, 15);
}

TEST(Send, ToAnotherTenantsInstanceIsNotFoundAndChangesNothing) {
  World world;
  const auto parcel = world.Create("t", "anna", DueIn(world, 1000));
  EXPECT_EQ(world.Send(parcel.id, courier::Simple(courier::kStop), "u").status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(world.StateNumber(parcel.id), courier::kWaiting);
  EXPECT_EQ(world.Send(parcel.id, courier::Simple(courier::kStop), "t").outcome, courier::kWasStopped);
  EXPECT_EQ(world.StateNumber(parcel.id), courier::kStopped);
  const auto late = world.Send(parcel.id, courier::Simple(courier::kStop), "t");
  EXPECT_EQ(late.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(late.outcome, courier::kOver);
  EXPECT_EQ(world.Violations(), "") << world.Journal();
}

TEST(Create, CountsThePayloadAgainstTheBoundOfWhatIsKeptInMemory) {
  EngineOptions options;
  options.shards = 4;
  options.cache_bytes = 100'000;
  World world(options);
  std::vector<InstanceId> ids;
  for (int i = 0; i < 50; ++i) {
    CreateRequest request;
    request.workflow = courier::kWorkflow;
    request.tenant = "t";
    request.payload = std::string(16'000, 'x');
    request.event = courier::Create(DueIn(world, 1'000'000));
    world.engine->Create(std::move(request), [&](const Answer& answer) { ids.push_back(answer.id); });
    world.Run();
  }
  ASSERT_EQ(ids.size(), 50U);
  for (const InstanceId& id : ids) world.Send(id, courier::Simple(courier::kReport, "done"));
  world.clock.Advance(1'000);  // figures are copied now and then
  world.Run();
  EXPECT_EQ(world.engine->TakeFigures().cache_misses, 50U);
}

}  // namespace
}  // namespace smsflow::engine
