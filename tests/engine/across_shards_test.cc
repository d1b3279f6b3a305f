// Tells, sweeps, memberships, pauses: what concerns more than one instance.
#include <gtest/gtest.h>

#include "storage/journal.h"
#include "storage/records.h"
#include "tests/engine/world.h"

namespace smsflow::engine {
namespace {

TEST(Tells, AreAppliedExactlyOnceWhereverTheKillComes) {
  for (const bool after_write : {false, true}) {
    for (int cut = 1; cut < 16; ++cut) {
      World world;
      std::shared_ptr<Inbox> inbox;
      auto session = world.Attach("g", "s1", {"t"}, 100, inbox);
      const auto far = world.clock.wall_ms + 1'000'000;
      const auto to = world.Create("t", "friend", {far, "", std::nullopt, ""}).id;
      std::vector<InstanceId> from;
      for (int i = 0; i < 5; ++i)
        from.push_back(world.Create("t", "f" + std::to_string(i), {world.clock.wall_ms + 10, "", to, ""}).id);
      world.AdvanceAndRun(20, 10);
      ASSERT_EQ(inbox->leases.size(), 5U);
      const std::vector<Lease> leases = inbox->leases;
      world.store->power_cut_at = world.store->writes + cut;
      world.store->after_write = after_write;
      try {
        for (const Lease& lease : leases) world.Report(*session, lease.attempt, "done");
        world.AdvanceAndRun(3'000, 500);
      } catch (const WatchedStore::PowerCut&) {
      }
      session.reset();
      world.Crash();
      world.Open();
      session = world.Attach("g", "s1", {"t"}, 100, inbox);
      for (const Lease& lease : leases) world.Report(*session, lease.attempt, "done");
      world.AdvanceAndRun(100);
      const auto state = world.StateOf(to);
      EXPECT_EQ(courier::TimesTold(state->data()), 5) << "cut " << cut << "\n" << world.Journal();
      std::set<std::pair<std::uint16_t, std::uint64_t>> posts;
      for (const Post& post : world.posts.received) posts.insert({post.shard.value, post.sequence});
      EXPECT_EQ(posts.size(), 5U) << "cut " << cut;
      EXPECT_EQ(world.Violations(), "") << "cut " << cut;
    }
  }
}

// Ids come from clients, and twelve bits of them name a shard: one of a shard that there is not must stop nobody.
TEST(Tells, ToAShardThatThereIsNotHaveNoEffect) {
  World world;
  std::shared_ptr<Inbox> inbox;
  auto session = world.Attach("g", "s1", {"t"}, 10, inbox);
  const InstanceId nobody = InstanceId::Make(world.clock.wall_ms, ShardId{4'000}, 7);
  const auto parcel = world.Create("t", "a", {world.clock.wall_ms + 10, "", nobody, ""}).id;
  world.AdvanceAndRun(20, 10);
  ASSERT_EQ(inbox->leases.size(), 1U);
  EXPECT_EQ(world.Report(*session, inbox->leases[0].attempt, "done"), ReportOutcome::kApplied);
  session.reset();  // no session outlives its engine
  world.Crash();
  world.Open();
  world.AdvanceAndRun(100, 10);
  EXPECT_EQ(world.StateNumber(parcel), courier::kDone);
  EXPECT_EQ(world.Violations(), "");
}

// That they were applied is noted with whatever is written next: it costs no batch of its own.
TEST(Tells, AreForgottenWithTheNextBatch) {
  World world;
  world.AdvanceAndRun(1'000, 1'000);  // the marks are saved just now, and not again soon
  const auto tells = [&] {
    int count = 0;
    for (auto rows = world.memory.Scan(storage::Family::kQueues, "l", "m"); rows->Valid(); rows->Next()) ++count;
    return count;
  };
  const int before = world.store->writes;
  PauseRequest pause;
  pause.reason = "test";
  EXPECT_TRUE(world.Pause(pause));
  EXPECT_EQ(world.store->writes - before, 2) << "one that tells, one that applies";
  EXPECT_EQ(tells(), 4);
  world.Create("t", "anna", {world.clock.wall_ms + 1'000, "", std::nullopt, ""});
  EXPECT_EQ(world.store->writes - before, 3);
  EXPECT_EQ(tells(), 0);

  pause.resume = true;
  EXPECT_TRUE(world.Pause(pause));
  EXPECT_EQ(tells(), 4);
  world.AdvanceAndRun(1'000, 500);
  EXPECT_EQ(tells(), 0) << "or with the marks";
}

TEST(Posts, AreRepeatedAfterARestartUntilTheyAreTaken) {
  World world;
  const auto parcel = world.Create("t", "a", {world.clock.wall_ms + 1'000'000, "", std::nullopt, ""}).id;
  world.Send(parcel, courier::Simple(courier::kTold));
  world.Send(parcel, courier::Simple(courier::kTold));
  ASSERT_EQ(world.posts.received.size(), 2U);
  EXPECT_EQ(world.posts.received[0].body, "thanks 1");
  const Post first = world.posts.received[0];
  world.engine->Taken(first.shard, first.sequence);
  world.Run();
  world.Crash();
  world.posts.received.clear();
  world.Open();
  ASSERT_EQ(world.posts.received.size(), 1U);
  EXPECT_EQ(world.posts.received[0].body, "thanks 2");
}

// Receivers know a post by its number: one that was taken must not leave it to another.
TEST(Posts, NeverShareANumber) {
  World world;
  const auto parcel = world.Create("t", "a", {world.clock.wall_ms + 1'000'000, "", std::nullopt, ""}).id;
  for (int i = 0; i < 3; ++i) {
    world.Send(parcel, courier::Simple(courier::kTold));
    world.engine->Taken(world.posts.received.back().shard, world.posts.received.back().sequence);
    world.Run();
    world.Crash();
    world.Open();
  }
  std::set<std::uint64_t> numbers;
  for (const Post& post : world.posts.received) numbers.insert(post.sequence);
  EXPECT_EQ(numbers.size(), 3U);
}

class Sweeps : public ::testing::Test {
 protected:
  SweepRequest Stop(std::uint16_t index, const std::string& value) {
    SweepRequest request;
    request.workflow = courier::kWorkflow;
    request.tenant = "t";
    request.actor = "tester";
    request.index = index;
    request.value = value;
    request.event = courier::Simple(courier::kStop);
    return request;
  }
  InstanceId Add(const std::string& tenant, const std::string& target, const std::string& label) {
    return world_.Create(tenant, target, {world_.clock.wall_ms + 100'000, label, std::nullopt, ""}).id;
  }
  World world_;
};

TEST_F(Sweeps, StopAllOfALabelInAllShardsAndCountThem) {
  std::vector<InstanceId> meant;
  for (int i = 0; i < 300; ++i) meant.push_back(Add("t", "x" + std::to_string(i), "red"));
  const auto blue = Add("t", "y", "blue");
  const auto foreign = Add("u", "z", "red");
  const auto answer = world_.Sweep(Stop(courier::kLabelIndex, "red"));
  ASSERT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.outcomes.at(courier::kWasStopped), 300U);
  for (const auto& id : meant) EXPECT_EQ(world_.StateNumber(id), courier::kStopped);
  EXPECT_EQ(world_.StateNumber(blue), courier::kWaiting);
  EXPECT_EQ(world_.StateNumber(foreign), courier::kWaiting);
  const auto again = world_.Sweep(Stop(courier::kLabelIndex, "red"));
  EXPECT_EQ(again.outcomes.at(courier::kOver), 300U);
  EXPECT_EQ(world_.Violations(), "");
}

TEST_F(Sweeps, StopAllOfATenantAndNoneThatComesLater) {
  std::vector<InstanceId> meant;
  for (int i = 0; i < 100; ++i) meant.push_back(Add("t", "x" + std::to_string(i), ""));
  const auto foreign = Add("u", "z", "");
  const auto answer = world_.Sweep(Stop(0, ""));
  EXPECT_EQ(answer.outcomes.at(courier::kWasStopped), 100U);
  const auto later = Add("t", "x1", "");
  world_.AdvanceAndRun(100);
  EXPECT_EQ(world_.StateNumber(later), courier::kWaiting);
  EXPECT_EQ(world_.StateNumber(foreign), courier::kWaiting);
}

// A time daemon set the clock back a little: what was asked for before is older all the same.
TEST_F(Sweeps, StopWhatCameBeforeAlsoWhenTheClockWentBack) {
  for (const bool restart : {false, true}) {
    const courier::Parcel parcel{world_.clock.wall_ms + 1'000'000, "", std::nullopt, ""};
    const auto before = world_.Create("t", "a", parcel).id;
    if (restart) {
      world_.Crash();
      world_.Open();
    }
    world_.clock.wall_ms -= 60'000;
    SweepRequest request = Stop(0, "");
    world_.engine->Sweep(std::move(request), [](SweepAnswer) {});
    world_.engine->RunOnce();
    world_.engine->RunOnce();
    const auto after = world_.Create("t", "a", parcel).id;
    world_.Run();
    EXPECT_EQ(world_.StateNumber(before), courier::kStopped) << restart;
    EXPECT_EQ(world_.StateNumber(after), courier::kWaiting) << restart;
  }
}

// By a clock that is hours behind, or was hours ahead and is right again: a sweep that is answered has met all.
TEST_F(Sweeps, StopWhatCameBeforeAlsoWhenTheClockWasFarOff) {
  constexpr std::int64_t kHoursMs = 3 * 3'600'000;
  for (const bool restart : {false, true}) {
    const auto ahead = Add("t", "a", "");
    world_.clock.wall_ms -= kHoursMs;
    if (restart) {
      world_.Crash();
      world_.Open();
    }
    EXPECT_EQ(world_.Sweep(Stop(0, "")).outcomes.at(courier::kWasStopped), 1U) << restart;
    EXPECT_EQ(world_.StateNumber(ahead), courier::kStopped) << restart;
    const auto behind = Add("t", "a", "");
    EXPECT_LE(behind.created_ms(), world_.clock.wall_ms + 1) << restart;
    EXPECT_EQ(world_.Sweep(Stop(0, "")).outcomes.at(courier::kWasStopped), 1U) << restart;
    EXPECT_EQ(world_.StateNumber(behind), courier::kStopped) << restart;

    world_.clock.wall_ms += 2 * kHoursMs;
    world_.Sweep(Stop(0, ""));  // new ids come after this moment, also when the clock is set back
    world_.clock.wall_ms -= kHoursMs;
    for (int i = 0; i < 3; ++i) {
      const auto next = Add("t", "b", "");
      EXPECT_EQ(world_.Sweep(Stop(0, "")).outcomes.at(courier::kWasStopped), 1U) << restart << i;
      EXPECT_EQ(world_.StateNumber(next), courier::kStopped) << restart << i;
    }
  }
}

// A large one takes many rounds; a small one of the same shard that comes after it does not wait for them.
TEST_F(Sweeps, TakeTurnsSoThatASmallOneDoesNotWaitForALargeOne) {
  for (int i = 0; i < 400; ++i) Add("t", "anna", "large");
  Add("t", "anna", "small");
  std::vector<std::string> answered;
  for (const std::string label : {"large", "small"}) {
    SweepRequest request = Stop(courier::kLabelIndex, label);
    request.target = "anna";
    world_.engine->Sweep(request, [&answered, label](SweepAnswer answer) {
      EXPECT_TRUE(answer.status.ok()) << answer.status;
      answered.push_back(label);
    });
  }
  world_.Run();
  EXPECT_EQ(answered, (std::vector<std::string>{"small", "large"}));
}

TEST_F(Sweeps, TooManyAtOnceAreRefused) {
  int refused = 0;
  int done = 0;
  const auto sweep = [&](const std::string& tenant, std::optional<std::string> target) {
    SweepRequest request = Stop(courier::kLabelIndex, "red");
    request.tenant = tenant;
    request.target = std::move(target);
    world_.engine->Sweep(std::move(request), [&](const SweepAnswer& answer) {
      if (answer.status.ok()) ++done;
      if (answer.status.code() == absl::StatusCode::kResourceExhausted) ++refused;
    });
  };
  for (int i = 0; i < 120; ++i) sweep("t", std::nullopt);
  EXPECT_EQ(refused, 20);
  // Others, and commands for one target, have their own bounds; so has the operator.
  sweep("u", std::nullopt);
  for (int i = 0; i < 1'010; ++i) sweep("t", "anna");
  sweep("u", "anna");
  EXPECT_EQ(refused, 30);
  for (int i = 0; i < 950; ++i) sweep("tenant " + std::to_string(i), std::nullopt);
  EXPECT_EQ(refused, 81);
  std::optional<absl::Status> paused;
  PauseRequest pause;
  world_.engine->Pause(pause, [&](absl::Status status, bool) { paused = std::move(status); });
  world_.Run(1'000'000);
  EXPECT_EQ(done, 2'000 + 1);
  EXPECT_TRUE(paused && paused->ok());
  sweep("t", std::nullopt);
  world_.Run();
  EXPECT_EQ(done, 2'000 + 2);
}

// One tenant's many large ones; another's small one has its turn after each chunk of theirs.
TEST_F(Sweeps, OfOneTenantDoNotHoldUpAnothers) {
  const auto shard_of = [&](const std::string& tenant, const std::string& target) {
    return world_.index_keys.Shard(world_.options.shards, tenant, target, "", 0);
  };
  std::string bert = "bert";
  while (!(shard_of("u", bert) == shard_of("t", "anna"))) bert += '!';
  for (int i = 0; i < 200; ++i) Add("t", "anna", "");
  Add("u", bert, "red");
  int large = 0, large_before = -1;
  for (int i = 0; i < 50; ++i) {
    SweepRequest request = Stop(0, "");
    request.target = "anna";
    world_.engine->Sweep(request, [&](const SweepAnswer&) { ++large; });
  }
  SweepRequest request = Stop(courier::kLabelIndex, "red");
  request.tenant = "u";
  request.target = bert;
  world_.engine->Sweep(request, [&](const SweepAnswer& answer) {
    EXPECT_EQ(answer.outcomes.at(courier::kWasStopped), 1U);
    large_before = large;
  });
  world_.Run();
  EXPECT_EQ(large, 50);
  EXPECT_EQ(large_before, 0);
}

// Ids are ahead of the clock, and the process dies while a sweep is open: what comes after it is still younger.
TEST_F(Sweeps, TakeNothingThatCameAfterThemAlsoAfterARestart) {
  std::vector<InstanceId> before;
  for (int i = 0; i < 200; ++i) before.push_back(Add("t", "anna", ""));
  world_.clock.wall_ms -= 60'000;
  SweepRequest request = Stop(0, "");
  request.target = "anna";
  world_.engine->Sweep(std::move(request), [](const SweepAnswer&) {});
  world_.engine->RunOnce();
  world_.Crash();
  world_.Open();
  const auto after = Add("t", "anna", "");
  world_.Run();
  for (const auto& id : before) EXPECT_EQ(world_.StateNumber(id), courier::kStopped);
  EXPECT_EQ(world_.StateNumber(after), courier::kWaiting);
}

TEST_F(Sweeps, GoOnAfterAKillAtEveryWrite) {
  for (int cut = 1; cut < 25; ++cut) {
    World world;
    std::vector<InstanceId> meant;
    for (int i = 0; i < 200; ++i)
      meant.push_back(
          world.Create("t", "x" + std::to_string(i), {world.clock.wall_ms + 100'000, "red", std::nullopt, ""}).id);
    world.store->power_cut_at = world.store->writes + cut;
    bool answered = false;
    bool killed = false;
    try {
      world.engine->Sweep(Stop(courier::kLabelIndex, "red"), [&](const SweepAnswer&) { answered = true; });
      world.Run();
    } catch (const WatchedStore::PowerCut&) {
      killed = true;
    }
    world.Crash();
    world.Open();
    world.AdvanceAndRun(100);
    int stopped = 0;
    for (const auto& id : meant) stopped += world.StateNumber(id) == courier::kStopped ? 1 : 0;
    // Once the command was stored in its home shard all of it happens; before that, nothing.
    EXPECT_TRUE(stopped == 200 || (stopped == 0 && cut == 1)) << "cut " << cut << ": " << stopped;
    EXPECT_TRUE(killed || answered) << cut;
    EXPECT_EQ(world.Violations(), "") << "cut " << cut;
  }
}

TEST_F(Sweeps, AMembershipIsSetAtOnceAndWhatWaitsForTheTargetIsSwept) {
  const auto waiting = Add("t", "anna", "");
  SweepRequest ban = Stop(0, "");
  ban.target = "anna";
  ban.membership = workflows::MembershipChange{courier::kBanned, true};
  const auto answer = world_.Sweep(ban);
  EXPECT_TRUE(answer.changed);
  EXPECT_EQ(world_.StateNumber(waiting), courier::kStopped);
  SweepRequest lift = ban;
  lift.membership->member = false;
  lift.sweep = false;
  EXPECT_TRUE(world_.Sweep(lift).changed);
  EXPECT_FALSE(world_.Sweep(lift).changed);
}

TEST(Pauses, HoldTheirScopeAlsoAcrossARestartAndLetItGoWhenTheyEnd) {
  World world;
  std::shared_ptr<Inbox> inbox;
  auto session = world.Attach("g", "s1", {"t", "u"}, 100, inbox);
  PauseRequest pause;
  pause.scope = storage::PauseScope::kIndexValue;
  pause.tenant = "t";
  pause.index = courier::kLabelIndex;
  pause.value = "red";
  pause.index_name = "label";
  pause.reason = "checking";
  pause.actor = "ana";
  EXPECT_TRUE(world.Pause(pause));
  EXPECT_FALSE(world.Pause(pause));
  const auto due = world.clock.wall_ms + 100;
  const auto red = world.Create("t", "a", {due, "red", std::nullopt, ""}).id;
  const auto blue = world.Create("t", "a", {due, "blue", std::nullopt, ""}).id;
  world.AdvanceAndRun(200);
  ASSERT_EQ(inbox->leases.size(), 1U);
  EXPECT_EQ(inbox->leases[0].attempt.instance, blue);
  const auto reasons = world.engine->Explain(red);
  ASSERT_TRUE(reasons.ok());
  ASSERT_EQ(reasons->pauses.size(), 1U);
  EXPECT_EQ(reasons->pauses[0], "label red of tenant t: checking (by ana at 2023-11-14T22:13:20Z)");

  session.reset();
  world.Crash();
  world.Open();
  std::shared_ptr<Inbox> second;
  session = world.Attach("g", "s1", {"t", "u"}, 100, second);
  world.AdvanceAndRun(1'000);
  for (const Lease& lease : second->leases) EXPECT_TRUE(lease.again);
  pause.resume = true;
  EXPECT_TRUE(world.Pause(pause));
  world.AdvanceAndRun(100);
  EXPECT_EQ(world.StateNumber(red), courier::kOut);
}

// They waited together while it held; once it ends, the one without a gateway keeps nobody.
TEST(Pauses, ATenantWithoutAGatewayStopsNobodyOnceTheyEnd) {
  World world;
  std::shared_ptr<Inbox> inbox;
  auto session = world.Attach("g", "s1", {"t"}, 10, inbox);
  PauseRequest pause;
  EXPECT_TRUE(world.Pause(pause));
  const auto lonely = world.Create("lonely", "x", {world.clock.wall_ms + 10, "", std::nullopt, ""}).id;
  const auto served = world.Create("t", "y", {world.clock.wall_ms + 20, "", std::nullopt, ""}).id;
  world.AdvanceAndRun(100, 10);
  EXPECT_TRUE(inbox->leases.empty());
  pause.resume = true;
  EXPECT_TRUE(world.Pause(pause));
  ASSERT_EQ(inbox->leases.size(), 1U);
  EXPECT_EQ(inbox->leases[0].attempt.instance, served);
  std::shared_ptr<Inbox> late;
  auto other = world.Attach("h", "s9", {"lonely"}, 10, late);
  ASSERT_EQ(late->leases.size(), 1U);
  EXPECT_EQ(late->leases[0].attempt.instance, lonely);
}

// Whoever asks why a parcel waits is not sent after a gateway that would not take it.
TEST(Pauses, OfAGatewayThatDoesNotServeItExplainNothing) {
  World world;
  std::shared_ptr<Inbox> inbox;
  auto session = world.Attach("g", "s1", {"t"}, 0, inbox);
  const auto parcel = world.Create("t", "a", {world.clock.wall_ms + 10, "", std::nullopt, ""}).id;
  world.AdvanceAndRun(100, 10);
  PauseRequest pause;
  pause.scope = storage::PauseScope::kGateway;
  for (const std::string gateway : {"elsewhere", "g"}) {
    pause.value = gateway;
    EXPECT_TRUE(world.Pause(pause));
    EXPECT_EQ(world.engine->Explain(parcel)->pauses.size(), gateway == "g" ? 1U : 0U) << gateway;
  }
  // Nor after one of several that would.
  std::shared_ptr<Inbox> other_inbox;
  auto other = world.Attach("h", "s2", {"t"}, 0, other_inbox);
  EXPECT_TRUE(world.engine->Explain(parcel)->pauses.empty());
  pause.value = "h";
  EXPECT_TRUE(world.Pause(pause));
  EXPECT_EQ(world.engine->Explain(parcel)->pauses.size(), 2U);
}

TEST(Pauses, SayWhoAskedForThemAndWhenAlsoAfterARestart) {
  World world;
  const auto parcel = world.Create("t", "a", {world.clock.wall_ms + 10, "", std::nullopt, ""}).id;
  PauseRequest pause;
  pause.actor = "olga";
  pause.reason = "the route is down";
  EXPECT_TRUE(world.Pause(pause));
  world.Crash();
  world.Open();
  const auto pauses = world.engine->Explain(parcel)->pauses;
  ASSERT_EQ(pauses.size(), 1U);
  EXPECT_EQ(pauses[0], "all: the route is down (by olga at 2023-11-14T22:13:20Z)");
}

TEST(Pauses, OfTenantGatewayAndAll) {
  for (const auto scope : {storage::PauseScope::kAll, storage::PauseScope::kTenant, storage::PauseScope::kGateway}) {
    World world;
    std::shared_ptr<Inbox> inbox;
    auto session = world.Attach("g", "s1", {"t"}, 100, inbox);
    PauseRequest pause;
    pause.scope = scope;
    if (scope == storage::PauseScope::kTenant) pause.tenant = "t";
    if (scope == storage::PauseScope::kGateway) pause.value = "g";
    EXPECT_TRUE(world.Pause(pause));
    const auto parcel = world.Create("t", "a", {world.clock.wall_ms + 10, "", std::nullopt, ""}).id;
    world.AdvanceAndRun(100);
    EXPECT_EQ(world.StateNumber(parcel), courier::kWaiting);
    EXPECT_EQ(world.engine->Explain(parcel)->pauses.size(), 1U) << static_cast<int>(scope);
    pause.resume = true;
    EXPECT_TRUE(world.Pause(pause));
    world.AdvanceAndRun(100);
    EXPECT_EQ(world.StateNumber(parcel), courier::kOut) << static_cast<int>(scope);
  }
}

}  // namespace
}  // namespace smsflow::engine
