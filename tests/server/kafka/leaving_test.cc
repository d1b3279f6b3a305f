// What leaves: attempts, dead letters, and the producer under them; on a broker in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "absl/strings/str_cat.h"
#include "server/kafka/dead_letters.h"
#include "server/kafka/events.h"
#include "server/kafka/gateways.h"
#include "server/kafka/outlet.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/memory_store.h"
#include "tests/engine/world.h"
#include "tests/server/kafka/model_broker.h"
#include "tests/server/kafka/noting_engine.h"

namespace smsflow::server {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr char kUuid[] = "11111111-2222-4333-8444-555555555555", kOther[] = "99999999-2222-4333-8444-555555555555";

bool Within(const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

class LeavingTest : public testing::Test {
 protected:
  LeavingTest() {
    broker_.MakeTopic("send", 2);
    broker_.MakeTopic("dead", 1);
    outlet_.Start();
    // It has its first producer.
    EXPECT_TRUE(Within([this] {
      std::atomic<int> told{0};
      broker_.MakeTopic("probe", 1);
      outlet_.Produce("probe", 0, {"", "x", {}}, [&](const absl::Status& status) { told = status.ok() ? 1 : 2; });
      return Within([&] { return told != 0; }) && told == 1;
    }));
  }
  ~LeavingTest() override { outlet_.Stop(); }

  Gateways::Parts Parts() { return {&engine_, &outlet_, &index_keys_, &clock_}; }
  std::size_t Count(const std::string& topic) const {
    return broker_.Log({topic, 0}).size() + broker_.Log({topic, 1}).size();
  }
  engine::Lease LeaseOf(std::uint64_t number) {
    engine::Lease lease;
    lease.attempt = {InstanceId::Make(clock_.wall_ms, ShardId{1}, number), 1};
    lease.tenant = "acme";
    lease.deadline_ms = clock_.wall_ms + 3'600'000;
    lease.payload = "sealed";
    lease.mark = {ShardId{1}, 1, 7, {}};
    return lease;
  }
  kafka::Announcement Said(const std::string& gateway, const std::string& uuid, std::vector<std::int32_t> partitions) {
    kafka::Announcement said;
    said.peer = {gateway, uuid};
    said.partitions = std::move(partitions);
    said.tenants = {"acme"};
    said.credit = 10;
    return said;
  }

  ModelBroker broker_;
  NotingEngine engine_;
  engine::ManualClock clock_;
  storage::IndexKeys index_keys_{std::string(32, 'k')};
  Outlet outlet_{[this] { return broker_.MakeProducer(); }};
};

// What is acknowledged once the doors are open must be told of, also when the process ends in that very moment.
TEST_F(LeavingTest, WhereTransitionsBeginIsKnownBeforeAnythingCanHappen) {
  const storage::MemoryStore store;
  const engine::Reader reader({&store, &index_keys_, NotingEngine::kShards, [](ShardId) { return std::uint64_t{0}; }});
  Events events("sms-events", {&engine_, &reader, nullptr, &outlet_});
  ASSERT_TRUE(events.Start().ok());
  const engine::FeedPosition begun = engine_.rows.at({"to sms-events", 0});
  events.Stop();
  EXPECT_TRUE(begun.known);
  EXPECT_THAT(begun.next, ElementsAre(0, 0, 0, 0));
}

class GatewaysTest : public LeavingTest {
 protected:
  GatewaysTest() {
    options_.topic = "send";
    options_.names = {"g1", "g2"};
    options_.tenants = {"acme"};
    gateways_ = std::make_unique<Gateways>(options_, Parts());
  }
  void Hear(const kafka::Announcement& said) { gateways_->Announced(said, clock_.wall_ms); }
  void Pass(std::int64_t ms) {
    for (; ms > 0; ms -= 1'000) {
      clock_.Advance(1'000);
      gateways_->Tick();
    }
  }
  void Lease(std::size_t peer, const engine::Lease& lease) { engine_.attached[peer]->link->Send(std::vector{lease}); }
  bool Sent(std::size_t records) {
    return Within([&] { return Count("send") >= records && outlet_.pending() == 0; }) && Count("send") == records;
  }

  Gateways::Options options_;
  std::unique_ptr<Gateways> gateways_;
};

TEST_F(GatewaysTest, AnAttemptIsRepeatedUntilItsOwnGatewaySpeaks) {
  Hear(Said("g1", kUuid, {0}));
  Hear(Said("g2", kOther, {1}));
  ASSERT_THAT(engine_.attached, SizeIs(2));
  EXPECT_EQ(engine_.attached[0]->credit, 10U);
  const engine::Lease lease = LeaseOf(1);
  Lease(0, lease);
  ASSERT_TRUE(Sent(1));
  const auto hear = [&] {
    Hear(Said("g1", kUuid, {0}));
    Hear(Said("g2", kOther, {1}));
  };
  Pass(29'000);
  hear();
  EXPECT_EQ(Count("send"), 1U);
  Pass(2'000);
  ASSERT_TRUE(Sent(2));
  // Another gateway's word about it ends nothing.
  gateways_->Reported({"g2", kOther}, lease.attempt);
  hear();
  Pass(31'000);
  EXPECT_TRUE(Sent(2)) << "the second silence is twice as long";
  hear();
  Pass(31'000);
  ASSERT_TRUE(Sent(3));
  gateways_->Reported({"g1", kUuid}, lease.attempt);
  for (int i = 0; i < 5; ++i) {
    hear();
    Pass(40'000);
  }
  EXPECT_TRUE(Sent(3));
}

// With its gateway it may wait for hours, for a rate or for an SMSC, and nothing is said of it.
TEST_F(GatewaysTest, WhatWaitsIsRepeatedMoreAndMoreSeldom) {
  Hear(Said("g1", kUuid, {0}));
  Lease(0, LeaseOf(1));
  std::size_t before = 0;
  for (int minute = 0; minute < 59; ++minute) {
    ASSERT_TRUE(Within([&] { return outlet_.pending() == 0; }));
    if (minute == 50) before = Count("send");
    Pass(60'000);
    Hear(Said("g1", kUuid, {0}));
  }
  ASSERT_TRUE(Within([&] { return outlet_.pending() == 0; }));
  EXPECT_GE(Count("send"), 8U);
  EXPECT_LE(Count("send"), 12U);
  EXPECT_GT(Count("send"), before) << "but it is, for it may have been lost";
}

TEST_F(GatewaysTest, WhatIsStillOnItsWayIsNotProducedOnceMore) {
  Hear(Said("g1", kUuid, {0, 1}));
  broker_.HoldDeliveries(true);
  Lease(0, LeaseOf(1));
  for (int i = 0; i < 4; ++i) {
    Pass(31'000);
    Hear(Said("g1", kUuid, {0, 1}));
  }
  EXPECT_EQ(outlet_.pending(), 1U);
  broker_.HoldDeliveries(false);
  ASSERT_TRUE(Sent(1));
}

TEST_F(GatewaysTest, PastItsDeadlineNothingIsRepeated) {
  Hear(Said("g1", kUuid, {0}));
  engine::Lease lease = LeaseOf(1);
  lease.deadline_ms = clock_.wall_ms + 20'000;
  Lease(0, lease);
  ASSERT_TRUE(Sent(1));
  Pass(55'000);
  EXPECT_TRUE(Sent(1));
}

TEST_F(GatewaysTest, ASilentOneIsAwayAndThenAnotherStoreOfItIsTaken) {
  Hear(Said("g1", kUuid, {0}));
  Pass(50'000);
  Hear(Said("g1", kOther, {0}));
  EXPECT_THAT(engine_.attached, SizeIs(1)) << "the first one was heard a moment ago";
  EXPECT_EQ(gateways_->attached(), 1U);
  Pass(12'000);
  EXPECT_TRUE(engine_.attached[0]->gone);
  EXPECT_EQ(gateways_->attached(), 0U);
  Hear(Said("g1", kOther, {0}));
  ASSERT_THAT(engine_.attached, SizeIs(2));
  EXPECT_EQ(engine_.attached[1]->hello.peer.store_uuid, kOther);
}

TEST_F(GatewaysTest, WhileWeStoodStillNobodyWasSilent) {
  Hear(Said("g1", kUuid, {0}));
  Pass(5'000);
  clock_.Advance(600'000);
  gateways_->Tick();
  EXPECT_EQ(gateways_->attached(), 1U);
  Pass(58'000);
  EXPECT_EQ(gateways_->attached(), 0U);
}

TEST_F(GatewaysTest, OneThatLeavesIsGoneAtOnceAndOneOfLongAgoIsNotHeard) {
  gateways_->Announced(Said("g1", kUuid, {0}), clock_.wall_ms - 61'000);
  EXPECT_THAT(engine_.attached, SizeIs(0));
  Hear(Said("g1", kUuid, {0}));
  EXPECT_EQ(gateways_->attached(), 1U);
  kafka::Announcement leaves = Said("g1", kUuid, {0});
  leaves.leaves = true;
  Hear(leaves);
  EXPECT_EQ(gateways_->attached(), 0U);
}

TEST_F(GatewaysTest, OnlyThoseThatAreNamedAndReadTheirOwnPartitions) {
  Hear(Said("g3", kUuid, {0}));
  Hear(Said("g1", kUuid, {0, 1}));
  Hear(Said("g2", kOther, {1}));
  kafka::Announcement stranger = Said("g2", kOther, {});
  stranger.tenants = {"nobody"};
  Hear(stranger);
  ASSERT_THAT(engine_.attached, SizeIs(1));
  EXPECT_EQ(engine_.attached[0]->hello.peer.gateway, "g1");
}

TEST_F(GatewaysTest, OneStuckGatewayIsFullAndTheOtherIsNot) {
  options_.stuck_ms = 0;
  gateways_ = std::make_unique<Gateways>(options_, Parts());
  Hear(Said("g1", kUuid, {0}));
  Hear(Said("g2", kOther, {1}));
  broker_.HoldDeliveries(true);
  Lease(0, LeaseOf(1));
  ASSERT_TRUE(Within([&] { return engine_.attached[0]->link->Full(); }));
  EXPECT_FALSE(engine_.attached[1]->link->Full());
  gateways_->Tick();
  broker_.HoldDeliveries(false);
  ASSERT_TRUE(Within([&] { return !engine_.attached[0]->link->Full(); }));
  gateways_->Tick();
  EXPECT_EQ(engine_.attached[0]->told, 1) << "that there is room again";
}

// Its partition has no leader, and it has credit for more than there is room.
TEST_F(GatewaysTest, OneThatFillsItsShareLeavesRoomForTheOther) {
  Hear(Said("g1", kUuid, {0}));
  Hear(Said("g2", kOther, {1}));
  const engine::PeerLink &first = *engine_.attached[0]->link, &second = *engine_.attached[1]->link;
  broker_.HoldDeliveries(true);
  constexpr std::size_t kHalf = Outlet::kPendingMax / 2;
  for (std::uint64_t i = 0; i <= kHalf; ++i) Lease(0, LeaseOf(i));
  EXPECT_TRUE(first.Full());
  EXPECT_FALSE(second.Full());
  for (std::uint64_t i = 0; i < Outlet::kPendingMax; ++i) Lease(0, LeaseOf(kHalf + 1 + i));  // it was given more
  EXPECT_LE(outlet_.pending(), Outlet::kPendingMax * 3 / 4 + 1) << "and is refused";
  EXPECT_FALSE(second.Full());
  Lease(1, LeaseOf(100'000));
  EXPECT_FALSE(second.Full());
  for (std::uint64_t i = 1; i < Outlet::kPendingMax; ++i) Lease(1, LeaseOf(100'000 + i));
  EXPECT_TRUE(second.Full());
  EXPECT_LT(outlet_.pending(), Outlet::kPendingMax - 1'000) << "there is room for what else leaves";
  broker_.HoldDeliveries(false);
  ASSERT_TRUE(Within([&] { return outlet_.pending() == 0; }));
}

TEST_F(GatewaysTest, WhatIsOnItsWayIsBoundedInBytesToo) {
  Hear(Said("g1", kUuid, {0}));
  Hear(Said("g2", kOther, {1}));
  broker_.HoldDeliveries(true);
  engine::Lease lease = LeaseOf(1);
  lease.payload = std::string(200'000, 'x');
  for (std::uint64_t i = 0; i < 300; ++i) {
    lease.attempt = LeaseOf(i).attempt;
    Lease(0, lease);
  }
  EXPECT_TRUE(engine_.attached[0]->link->Full()) << "though less is kept than may be";
  EXPECT_FALSE(engine_.attached[1]->link->Full());
  broker_.HoldDeliveries(false);
  ASSERT_TRUE(Within([&] { return outlet_.pending() == 0; }));
}

TEST_F(GatewaysTest, WhatIsKeptToBeRepeatedIsBoundedInBytes) {
  options_.silent_bytes_max = 1'000;
  gateways_ = std::make_unique<Gateways>(options_, Parts());
  Hear(Said("g1", kUuid, {0}));
  std::vector<AttemptId> attempts;
  for (std::uint64_t i = 0; i < 10; ++i) {
    const engine::Lease lease = LeaseOf(i);
    attempts.push_back(lease.attempt);
    Lease(0, lease);
  }
  ASSERT_TRUE(Sent(10));
  EXPECT_TRUE(engine_.attached[0]->link->Full());
  for (const AttemptId& attempt : attempts) gateways_->Reported({"g1", kUuid}, attempt);
  EXPECT_FALSE(engine_.attached[0]->link->Full());
}

TEST_F(LeavingTest, AnOldGatewayGetsEachOnceWhateverBecomesOfTheProducer) {
  OldGateway old("send", {"acme"}, 100, Parts());
  ASSERT_TRUE(old.Start().ok());
  ASSERT_THAT(engine_.attached, SizeIs(1));
  const auto send = [&](engine::Lease lease) { engine_.attached[0]->link->Send(std::vector{std::move(lease)}); };
  engine::Lease before = LeaseOf(1);
  before.again = true;  // it was marked by a process before
  send(before);
  // Refused: it never left, so it may.
  std::atomic<int> refused{0};
  broker_.fault = [&](const std::string&) {
    return refused++ == 0 ? ModelBroker::Fault{absl::NotFoundError("no such topic yet"), absl::OkStatus()}
                          : ModelBroker::Fault{};
  };
  send(LeaseOf(2));
  old.Tick();
  ASSERT_TRUE(Within([&] { return Count("send") == 1; }));
  // On its way when the producer ended: nobody knows, and it is not produced again.
  broker_.HoldDeliveries(true);
  send(LeaseOf(3));
  broker_.EndProducers();
  ASSERT_TRUE(Within([&] { return outlet_.remade() == 1 && outlet_.pending() == 0; }));
  broker_.HoldDeliveries(false);
  for (int i = 0; i < 5; ++i) old.Tick();
  ASSERT_TRUE(Within([&] {
    std::atomic<int> told{0};
    outlet_.Produce("probe", 0, {"", "x", {}}, [&](const absl::Status& status) { told = status.ok() ? 1 : 2; });
    return Within([&] { return told != 0; }) && told == 1;
  }));
  EXPECT_EQ(Count("send"), 1U);
  old.Stop();
}

TEST_F(LeavingTest, WhatTheBrokerMayHaveAnOldGatewayIsNotGivenOnceMore) {
  OldGateway old("send", {"acme"}, 100, Parts());
  ASSERT_TRUE(old.Start().ok());
  // Each was appended, and its acknowledgement was lost; the producer tried again, and that try failed for good.
  std::vector<absl::Status> last_words{absl::NotFoundError("the topic is gone"),
                                       absl::PermissionDeniedError("no right to write there any more")};
  broker_.fault = [&](const std::string& topic) {
    if (topic != "send" || last_words.empty()) return ModelBroker::Fault{};
    const absl::Status last = last_words.back();
    last_words.pop_back();
    return ModelBroker::Fault{absl::OkStatus(), last, /*taken=*/true};
  };
  engine_.attached[0]->link->Send(std::vector{LeaseOf(1), LeaseOf(2)});
  ASSERT_TRUE(Within([&] { return Count("send") == 2 && outlet_.pending() == 0; }));
  for (int i = 0; i < 5; ++i) {
    old.Tick();
    ASSERT_TRUE(Within([&] { return outlet_.pending() == 0; }));
  }
  EXPECT_EQ(Count("send"), 2U) << "it would be a second SMS";
  old.Stop();
}

TEST_F(LeavingTest, AProducerThatEndsIsMadeAnewAndTellsWhatItHad) {
  broker_.HoldDeliveries(true);
  std::atomic<int> aborted{0}, ok{0};
  const auto told = [&](const absl::Status& status) { ++(status.ok() ? ok : aborted); };
  for (int i = 0; i < 3; ++i) outlet_.Produce("send", 0, {"", "x", {}}, told);
  broker_.EndProducers();
  ASSERT_TRUE(Within([&] { return aborted == 3; }));
  broker_.HoldDeliveries(false);
  ASSERT_TRUE(Within([&] {
    outlet_.Produce("send", 0, {"", "y", {}}, told);
    ::poll(nullptr, 0, 20);
    return ok > 0;
  }));
  EXPECT_EQ(outlet_.remade(), 1U);
}

engine::Post Letter(std::uint64_t sequence, std::uint64_t position) {
  smsflow::stored::v1::DeadLetterBody body;
  body.set_log("orders");
  body.set_partition(2);
  body.set_position(position);
  body.set_reason("value: must be JSON");
  body.set_bytes(17);
  return {ShardId{1}, sequence, {}, engine::kDeadLetters, body.SerializeAsString()};
}

TEST_F(LeavingTest, ALetterHoldsItsPartitionUntilTheBrokerHasIt) {
  broker_.DeleteTopic("dead");
  DeadLetters letters("dead");
  letters.Send({Letter(7, 40)});  // before there is an engine
  std::vector<std::uint64_t> taken;
  std::mutex mutex;
  letters.Start(engine_, outlet_, [&](const engine::FeedId&, std::uint64_t position) {
    const std::lock_guard lock(mutex);
    taken.push_back(position);
  });
  EXPECT_TRUE(letters.Waits({"orders", 2}));
  EXPECT_FALSE(letters.Waits({"orders", 1}));
  EXPECT_FALSE(letters.Waits({"orders", 3}));
  for (int i = 0; i < 5; ++i) {
    letters.Tick();
    ASSERT_TRUE(Within([&] { return outlet_.pending() == 0; }));
  }
  EXPECT_EQ(letters.waiting(), 1U);
  // Its row was moved meanwhile: it is the same letter.
  letters.Send({Letter(2'000, 40)});
  EXPECT_EQ(letters.waiting(), 1U);
  broker_.MakeTopic("dead", 1);
  ASSERT_TRUE(Within([&] {
    letters.Tick();
    return letters.waiting() == 0;
  }));
  EXPECT_FALSE(letters.Waits({"orders", 2}));
  ASSERT_TRUE(Within([&] { return engine_.taken().size() == 1; }));
  EXPECT_EQ(engine_.taken()[0].second, 2'000U);
  ASSERT_EQ(Count("dead"), 1U);
  const auto written = kafka::DecodeDeadLetter(broker_.Log({"dead", 0}).begin()->second->value);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->bytes, 17U);
  ASSERT_TRUE(Within([&] {
    const std::lock_guard lock(mutex);
    return taken.size() == 1;
  }));
  EXPECT_THAT(taken, ElementsAre(40));
  letters.Stop();
}

}  // namespace
}  // namespace smsflow::server
