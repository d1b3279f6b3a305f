// Records of a log outside: applied once, whenever they are read and wherever a kill comes.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "storage/records.h"
#include "tests/engine/world.h"

namespace smsflow::engine {
namespace {

const FeedRef kFeed = std::make_shared<const FeedId>(FeedId{"orders", 2});

storage::Hash16 DigestAt(std::uint64_t position) {
  storage::Hash16 digest{};
  digest[0] = 1;
  digest[15] = static_cast<std::uint8_t>(position);
  return digest;
}

CreateRequest Order(World& world, const std::string& target, std::int64_t due_in_ms = 1'000'000) {
  CreateRequest request;
  request.workflow = courier::kWorkflow;
  request.tenant = "t";
  request.target = target;
  request.actor = "log";
  request.payload = "sealed";
  request.event = courier::Create({world.clock.wall_ms + due_in_ms, target, std::nullopt, ""});
  return request;
}

void Give(World& world, std::uint64_t position, FedWork work, std::map<std::uint64_t, FedAnswer>& answers,
          const FeedRef& feed = kFeed) {
  world.engine->Feed({feed, position, DigestAt(position), 100 + position}, std::move(work),
                     [&answers, position](FedAnswer answer) { answers[position] = std::move(answer); });
}

void Begin(World& world, std::uint64_t next, bool again = false) {
  bool begun = false;
  world.engine->FeedProgress(kFeed, std::vector<std::uint64_t>(world.options.shards, next), {}, again,
                             [&](const absl::Status& status) { begun = status.ok(); });
  world.Run();
  EXPECT_TRUE(begun);
}

FeedPosition At(World& world) {
  auto at = world.engine->FeedAt(*kFeed);
  EXPECT_TRUE(at.ok()) << at.status();
  return at.value_or(FeedPosition{});
}

// By label: how many parcels there are.
std::map<std::string, int> Parcels(World& world) {
  std::map<std::string, int> counts;
  for (std::uint16_t s = 0; s < world.options.shards; ++s) {
    const std::string heads(storage::Key('h', ShardId{s}).view());
    for (auto row = world.memory.Scan(storage::Family::kInstances, heads, storage::PrefixEnd(heads)); row->Valid();
         row->Next())
      ++counts[storage::DecodeHead(row->value())->target()];
  }
  return counts;
}

std::uint64_t RowsOf(World& world, char kind) {
  std::uint64_t count = 0;
  for (std::uint16_t s = 0; s < world.options.shards; ++s) {
    const std::string prefix(storage::Key(kind, ShardId{s}).view());
    for (auto row = world.memory.Scan(storage::Family::kQueues, prefix, storage::PrefixEnd(prefix)); row->Valid();
         row->Next())
      ++count;
  }
  return count;
}

TEST(Feeds, ARecordTakesEffectOnceWhereverTheKillComes) {
  constexpr std::uint64_t kRecords = 24;
  for (const bool after_write : {false, true}) {
    for (int cut = 1; cut < 12; ++cut) {
      World world;
      Begin(world, 0);
      std::map<std::uint64_t, FedAnswer> answers;
      world.store->power_cut_at = world.store->writes + cut;
      world.store->after_write = after_write;
      try {
        for (std::uint64_t i = 0; i < kRecords; ++i) {
          Give(world, i, Order(world, "target" + std::to_string(i)), answers);
          if (i % 3 == 2) world.Run();
        }
      } catch (const WatchedStore::PowerCut&) {
      }
      world.Crash();
      world.Open();
      const FeedPosition at = At(world);
      EXPECT_TRUE(at.known);
      for (const auto& [position, answer] : answers)
        EXPECT_LT(position, at.highest) << "was answered and is not stored; cut " << cut;
      if (at.highest != 0) {
        EXPECT_EQ(at.digest, DigestAt(at.highest - 1));
      }
      answers.clear();
      const std::size_t before = Parcels(world).size();
      for (std::uint64_t i = at.lowest; i < kRecords; ++i)
        Give(world, i, Order(world, "target" + std::to_string(i)), answers);
      world.Run();
      EXPECT_EQ(answers.size(), kRecords - at.lowest);
      const auto parcels = Parcels(world);
      EXPECT_EQ(parcels.size(), kRecords) << "cut " << cut;
      for (const auto& [target, count] : parcels) EXPECT_EQ(count, 1) << target << ", cut " << cut;
      EXPECT_EQ(world.Violations(), "") << "cut " << cut;
      const auto now = std::count_if(answers.begin(), answers.end(),
                                     [](const auto& one) { return one.second.what == Taking::kApplied; });
      EXPECT_EQ(before + static_cast<std::size_t>(now), kRecords) << "cut " << cut;
    }
  }
}

TEST(Feeds, WithoutATargetTheShardIsThatOfThePlace) {
  World world;
  Begin(world, 0);
  std::map<std::uint64_t, FedAnswer> answers;
  for (std::uint64_t i = 0; i < 20; ++i) Give(world, i, Order(world, ""), answers);
  world.Run();
  std::set<std::uint16_t> shards;
  for (const auto& [position, answer] : answers) shards.insert(answer.answer.id.shard().value);
  EXPECT_GT(shards.size(), 1U);
  world.Crash();
  world.Open();
  answers.clear();
  for (std::uint64_t i = 0; i < 20; ++i) Give(world, i, Order(world, ""), answers);
  world.Run();
  for (const auto& [position, answer] : answers) EXPECT_EQ(answer.what, Taking::kAppliedBefore) << position;
  EXPECT_EQ(Parcels(world)[""], 20);
  EXPECT_EQ(world.engine->TakeFigures().fed_again, 20U);
}

TEST(Feeds, ARowIsWrittenOnceInABatchAndOnlyForShardsThatTook) {
  World fed, asked;
  Begin(fed, 0);
  asked.Run();
  std::map<std::uint64_t, FedAnswer> answers;
  constexpr std::uint64_t kRecords = 60;
  const auto before_fed = fed.engine->TakeFigures(), before_asked = asked.engine->TakeFigures();
  for (std::uint64_t i = 0; i < kRecords; ++i) {
    Give(fed, i, Order(fed, "target" + std::to_string(i % 7)), answers);
    asked.engine->Create(Order(asked, "target" + std::to_string(i % 7)), [](const Answer&) {});
  }
  fed.engine->RunOnce();
  asked.engine->RunOnce();
  ASSERT_EQ(answers.size(), kRecords);
  std::set<std::uint16_t> shards;
  for (const auto& [position, answer] : answers) shards.insert(answer.answer.id.shard().value);
  const auto after_fed = fed.engine->TakeFigures(), after_asked = asked.engine->TakeFigures();
  EXPECT_EQ(after_fed.batches - before_fed.batches, 1U);
  EXPECT_EQ(after_fed.operations - before_fed.operations,
            after_asked.operations - before_asked.operations + shards.size());
  EXPECT_EQ(RowsOf(asked, 'f'), 0U);
  EXPECT_EQ(RowsOf(fed, 'f'), fed.options.shards);
}

TEST(Feeds, ProgressMovesIdleShardsAndNoneBack) {
  World world;
  EXPECT_FALSE(At(world).known);
  Begin(world, 100);
  EXPECT_EQ(At(world).lowest, 100U);
  EXPECT_EQ(At(world).highest, 100U);
  EXPECT_EQ(At(world).digest, storage::Hash16{});
  std::map<std::uint64_t, FedAnswer> answers;
  Give(world, 99, Order(world, "too early"), answers);
  for (const std::uint64_t i : {100, 101, 102}) Give(world, i, Order(world, "one"), answers);
  world.Run();
  EXPECT_EQ(answers[99].what, Taking::kAppliedBefore);
  EXPECT_EQ(At(world).lowest, 100U);
  EXPECT_EQ(At(world).highest, 103U);
  EXPECT_EQ(At(world).digest, DigestAt(102));
  world.engine->FeedProgress(kFeed, std::vector<std::uint64_t>(world.options.shards, 102), DigestAt(101), false, {});
  world.Run();
  EXPECT_EQ(At(world).lowest, 102U);
  EXPECT_EQ(At(world).highest, 103U);
  world.Crash();
  world.Open();
  EXPECT_EQ(At(world).lowest, 102U);
  Give(world, 102, Order(world, "one"), answers);
  world.Run();
  EXPECT_EQ(answers[102].what, Taking::kAppliedBefore);
  Begin(world, 5, /*again=*/true);  // a person says that the log is another one now
  EXPECT_EQ(At(world).highest, 5U);
  Give(world, 5, Order(world, "another"), answers);
  world.Run();
  EXPECT_EQ(answers[5].what, Taking::kApplied);
}

TEST(Feeds, PartitionsOfALogAreApart) {
  World world;
  const auto other = std::make_shared<const FeedId>(FeedId{"orders", 3});
  std::map<std::uint64_t, FedAnswer> answers, others;
  Give(world, 7, Order(world, "a"), answers);
  Give(world, 7, Order(world, "a"), others, other);
  Give(world, 6, Order(world, "a"), others, other);
  world.Run();
  EXPECT_EQ(answers[7].what, Taking::kApplied);
  EXPECT_EQ(others[7].what, Taking::kApplied);
  EXPECT_EQ(others[6].what, Taking::kAppliedBefore);
  EXPECT_EQ(Parcels(world)["a"], 2);
}

TEST(Feeds, WhatCannotBeAppliedLeavesAsADeadLetterUntilItIsTaken) {
  World world;
  std::map<std::uint64_t, FedAnswer> answers;
  CreateRequest wrong = Order(world, "a");
  wrong.dedupe_key = "key";
  wrong.fingerprint = std::string(16, '1');
  CreateRequest other = wrong;
  other.fingerprint = std::string(16, '2');
  Give(world, 0, std::move(wrong), answers);
  Give(world, 1, std::move(other), answers);
  Give(world, 2, DeadLetter{"value: must be JSON"}, answers);
  Give(world, 3,
       EventRequest{
           InstanceId::Make(world.clock.wall_ms, ShardId{1}, 9), "t", "log", courier::Simple(courier::kStop), {}},
       answers);
  Give(world, 4,
       EventRequest{
           InstanceId::Make(world.clock.wall_ms, ShardId{99}, 9), "t", "log", courier::Simple(courier::kStop), {}},
       answers);
  world.Run();
  EXPECT_EQ(answers[0].what, Taking::kApplied);
  for (const std::uint64_t i : {1, 2, 3, 4}) EXPECT_EQ(answers[i].what, Taking::kRefused) << i;
  ASSERT_EQ(world.posts.received.size(), 4U);
  std::map<std::uint64_t, std::string> reasons;
  for (const Post& post : world.posts.received) {
    ::smsflow::stored::v1::DeadLetterBody body;
    ASSERT_EQ(post.topic, kDeadLetters);
    ASSERT_TRUE(body.ParseFromString(post.body));
    EXPECT_EQ(body.log(), "orders");
    EXPECT_EQ(body.partition(), 2U);
    EXPECT_EQ(body.bytes(), 100 + body.position());
    reasons[body.position()] = body.reason();
  }
  EXPECT_EQ(reasons[1], "idempotency_key: was used for another request");
  EXPECT_EQ(reasons[2], "value: must be JSON");
  EXPECT_EQ(reasons[3], "id: unknown");

  // Not taken: it comes again, under the same number, and only that one.
  const std::vector<Post> first = world.posts.received;
  for (std::size_t i = 0; i < 3; ++i) world.engine->Taken(first[i].shard, first[i].sequence);
  world.Run();
  world.posts.received.clear();
  world.Crash();
  world.Open();
  ASSERT_EQ(world.posts.received.size(), 1U);
  EXPECT_EQ(world.posts.received[0].sequence, first[3].sequence);
  EXPECT_EQ(world.posts.received[0].body, first[3].body);
  answers.clear();
  Give(world, 2, DeadLetter{"value: must be JSON"}, answers);
  world.Run();
  EXPECT_EQ(answers[2].what, Taking::kAppliedBefore);
  EXPECT_EQ(world.posts.received.size(), 1U);
}

// A configuration changes and a clock goes on between two readings of a record.
TEST(Feeds, ARecordThatIsJudgedOtherwiseWhenItIsReadAgainTakesEffectOnce) {
  constexpr std::uint64_t kRecords = 40;
  const auto target_of = [](std::uint64_t i) { return i % 4 == 3 ? "" : "target" + std::to_string(i); };
  const auto key_of = [](std::uint64_t i) { return i % 2 == 1 ? "key" + std::to_string(i) : ""; };
  for (const bool is_first_a_letter : {true, false}) {
    World world;
    Begin(world, 0);
    std::map<std::uint64_t, FedAnswer> answers;
    const auto give_all = [&](bool as_letters) {
      for (std::uint64_t i = 0; i < kRecords; ++i) {
        CreateRequest order = Order(world, target_of(i));
        order.dedupe_key = key_of(i);
        order.fingerprint = std::string(16, '1');
        const DeadLetter letter{.reason = "client: there is no such tenant",
                                .tenant = order.tenant,
                                .target = order.target,
                                .dedupe_key = order.dedupe_key};
        Give(world, i, as_letters ? FedWork(letter) : FedWork(std::move(order)), answers);
      }
      world.Run();
    };
    give_all(is_first_a_letter);
    ASSERT_EQ(world.posts.received.size(), is_first_a_letter ? kRecords : 0);
    for (const Post& post : std::vector(world.posts.received)) world.engine->Taken(post.shard, post.sequence);
    world.Run();
    world.posts.received.clear();
    world.Crash();
    world.Open();
    answers.clear();
    give_all(!is_first_a_letter);
    ASSERT_EQ(answers.size(), kRecords);
    for (const auto& [position, answer] : answers) EXPECT_EQ(answer.what, Taking::kAppliedBefore) << position;
    int parcels = 0;
    for (const auto& [target, count] : Parcels(world)) parcels += count;
    EXPECT_EQ(parcels, is_first_a_letter ? 0 : int{kRecords});
    EXPECT_TRUE(world.posts.received.empty());
    EXPECT_EQ(world.Violations(), "");
  }
}

TEST(Feeds, AnEventThatIsJudgedOtherwiseWhenItIsReadAgainTakesEffectOnce) {
  World world;
  std::map<std::uint64_t, FedAnswer> answers;
  for (std::uint64_t i = 0; i < 8; ++i) {
    const InstanceId id = InstanceId::Make(world.clock.wall_ms, ShardId{static_cast<std::uint16_t>(i)}, 9);
    DeadLetter letter{"client: there is no such tenant"};
    letter.id = id;
    Give(world, i, letter, answers);
    world.Run();
    EXPECT_EQ(answers[i].what, Taking::kRefused);
    Give(world, i, EventRequest{id, "t", "log", courier::Simple(courier::kStop), {}}, answers);
    world.Run();
    EXPECT_EQ(answers[i].what, Taking::kAppliedBefore) << i;
  }
}

// It would be read again, and end the engine again.
TEST(Feeds, AnOrderForAWorkflowThatThereIsNotLeavesAsADeadLetter) {
  World world;
  std::map<std::uint64_t, FedAnswer> answers;
  CreateRequest order = Order(world, "a");
  order.workflow = 9;
  Give(world, 0, std::move(order), answers);
  world.Run();
  EXPECT_EQ(answers[0].what, Taking::kRefused);
  ASSERT_EQ(world.posts.received.size(), 1U);
  EXPECT_TRUE(Parcels(world).empty());
}

// What stays for long gets a row at the end, or a restart would look at all that came after it.
TEST(Feeds, ADeadLetterThatCannotLeaveHoldsNothingInItsPlace) {
  World world;
  world.options.shards = 1;
  world.Crash();
  world.Open();
  std::map<std::uint64_t, FedAnswer> answers;
  Give(world, 0, DeadLetter{"value: must be JSON"}, answers);
  world.Run();
  ASSERT_EQ(world.posts.received.size(), 1U);
  const Post first = world.posts.received.front();
  std::shared_ptr<Inbox> inbox;
  auto session = world.Attach("g", "s1", {"t"}, 5'000, inbox);
  for (int i = 0; i < 1'100; ++i) world.Create("t", absl::StrCat("p", i), {world.clock.wall_ms + 10, "", {}, ""});
  world.AdvanceAndRun(100, 100);
  ASSERT_EQ(inbox->leases.size(), 1'100U);
  for (const Lease& lease : inbox->leases) world.Report(*session, lease.attempt, "done");
  world.AdvanceAndRun(1'000, 20);
  ASSERT_EQ(world.posts.received.size(), 2U);
  const Post moved = world.posts.received.back();
  EXPECT_GT(moved.sequence, first.sequence + 1'000);
  EXPECT_EQ(moved.body, first.body);
  world.posts.received.clear();
  session.reset();
  world.Crash();
  world.Open();
  ASSERT_EQ(world.posts.received.size(), 1U);
  EXPECT_EQ(world.posts.received[0].sequence, moved.sequence);
  world.engine->Taken(moved.shard, moved.sequence);
  world.Run();
  world.posts.received.clear();
  world.Crash();
  world.Open();
  EXPECT_TRUE(world.posts.received.empty());
}

TEST(Feeds, ATenantThatAsksForMuchElsewhereDoesNotHoldItsLog) {
  World world;
  Begin(world, 0);
  SweepRequest stop;
  stop.workflow = courier::kWorkflow;
  stop.tenant = "t";
  stop.actor = "somebody";
  stop.event = courier::Simple(courier::kStop);
  int refused = 0;
  for (int i = 0; i < 200; ++i)
    world.engine->Sweep(stop, [&](const SweepAnswer& answer) { refused += !answer.status.ok(); });
  EXPECT_GT(refused, 0);
  std::map<std::uint64_t, FedAnswer> answers;
  Give(world, 0, stop, answers);
  world.Run();
  EXPECT_EQ(answers[0].what, Taking::kApplied);
}

TEST(Feeds, ACommandForManyIsToldToEachShardOnce) {
  World world;
  Begin(world, 0);
  std::vector<InstanceId> ids;
  for (int i = 0; i < 12; ++i)
    ids.push_back(world.Create("t", "f" + std::to_string(i), {world.clock.wall_ms + 1'000'000, "", {}, ""}).id);
  SweepRequest stop;
  stop.workflow = courier::kWorkflow;
  stop.tenant = "t";
  stop.actor = "log";
  stop.event = courier::Simple(courier::kStop);
  std::map<std::uint64_t, FedAnswer> answers;
  Give(world, 0, stop, answers);
  world.Run();
  EXPECT_EQ(answers[0].what, Taking::kApplied);
  for (const InstanceId& id : ids) EXPECT_EQ(world.StateNumber(id), courier::kStopped);
  const auto tells = world.engine->TakeFigures().tells;
  const auto later = world.Create("t", "f1", {world.clock.wall_ms + 1'000'000, "", {}, ""}).id;
  Give(world, 0, stop, answers);
  world.Run();
  EXPECT_EQ(answers[0].what, Taking::kAppliedBefore);
  EXPECT_EQ(world.engine->TakeFigures().tells, tells);
  EXPECT_EQ(world.StateNumber(later), courier::kWaiting);
}

TEST(Feeds, AReportCountsFromItsLesseeAloneAndOnce) {
  World world;
  Begin(world, 0);
  std::shared_ptr<Inbox> inbox;
  auto session = world.Attach("g", "s1", {"t"}, 10, inbox);
  const auto id = world.Create("t", "a", {world.clock.wall_ms + 10, "", {}, ""}).id;
  world.AdvanceAndRun(20, 10);
  ASSERT_EQ(inbox->leases.size(), 1U);
  const auto hello = [](const std::string& gateway, const std::string& uuid, const std::string& tenant) {
    return std::make_shared<const PeerHello>(PeerHello{{gateway, uuid}, {tenant}, {}, {}});
  };
  const AttemptId attempt = inbox->leases[0].attempt;
  const auto event = courier::Simple(courier::kReport, "done");
  std::map<std::uint64_t, FedAnswer> answers;
  Give(world, 0, FedReport{hello("g", "s2", "t"), attempt, event}, answers);
  Give(world, 1, FedReport{hello("g2", "s1", "t"), attempt, event}, answers);
  Give(world, 2, FedReport{hello("g", "s1", "other"), attempt, event}, answers);
  world.Run();
  EXPECT_EQ(world.StateNumber(id), courier::kOut);
  EXPECT_EQ(world.engine->TakeFigures().reports_not_yours, 3U);
  Give(world, 3, FedReport{hello("g", "s1", "t"), attempt, event}, answers);
  world.Run();
  EXPECT_EQ(world.StateNumber(id), courier::kDone);
  for (const auto& [position, answer] : answers) EXPECT_EQ(answer.what, Taking::kApplied);
  EXPECT_EQ(world.Violations(), "");
}

TEST(Feeds, AreTakenWhereACommandWouldBeRefused) {
  EngineOptions options;
  options.queue_max = 1;
  World world(options);
  Begin(world, 0);
  world.engine->SetDiskGuard(true);
  EXPECT_FALSE(world.engine->TakesCreations());
  std::map<std::uint64_t, FedAnswer> answers;
  for (std::uint64_t i = 0; i < 5; ++i) Give(world, i, Order(world, "a"), answers);
  world.Run();
  EXPECT_EQ(Parcels(world)["a"], 5);
  world.engine->SetDiskGuard(false);
  EXPECT_TRUE(world.engine->TakesCreations());
}

TEST(Feeds, WhatWasGivenToAnEngineThatStopsIsAnsweredAsSuch) {
  World world;
  std::map<std::uint64_t, FedAnswer> answers;
  Give(world, 0, Order(world, "a"), answers);
  absl::Status progress;
  world.engine->FeedProgress(kFeed, std::vector<std::uint64_t>(world.options.shards, 1), {}, false,
                             [&](const absl::Status& status) { progress = status; });
  world.engine->Stop();
  EXPECT_EQ(answers[0].what, Taking::kStopped);
  EXPECT_TRUE(absl::IsUnavailable(progress)) << progress;
  EXPECT_EQ(Parcels(world).size(), 0U);
}

}  // namespace
}  // namespace smsflow::engine
