// What is read, from where, and when not; on a broker in memory that does what brokers do.
#include "server/kafka/intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/engine/world.h"
#include "tests/server/kafka/model_broker.h"
#include "tests/server/kafka/noting_engine.h"
#include "workflows/delivery/zones.h"

namespace smsflow::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const kafka::TopicPartition kOrders{"orders", 0}, kMore{"orders", 1}, kStatus{"status", 0};
constexpr char kUuid[] = "11111111-2222-4333-8444-555555555555", kOther[] = "99999999-2222-4333-8444-555555555555";

class IntakeTest : public testing::Test {
 protected:
  IntakeTest() {
    broker_.MakeTopic("orders", 1);
    broker_.MakeTopic("status", 1);
    options_.topics = {{"orders", TopicKind::kSchedule}, {"status", TopicKind::kStatus}};
    options_.acting.tenants = {"acme"};
    options_.acting.unsigned_ok = true;
    options_.gateways = {"g1", "g2"};
  }
  void Open() {
    IntakeParts parts;
    parts.engine = &engine_;
    parts.shards = NotingEngine::kShards;
    parts.validation = &validation_;
    parts.clock = &clock_;
    parts.dead_letters = &dead_letters_;
    parts.admin = &broker_.admin();
    parts.open = [this] { return broker_.MakeConsumer(); };
    parts.announced = [this](const kafka::Announcement& said, std::int64_t) { announced_.push_back(said); };
    intake_ = std::make_unique<Intake>(options_, std::move(parts));
    ASSERT_TRUE(intake_->Open().ok());
    Run();
  }
  void Run(int seconds = 1) {
    for (int round = 0; round < 40 * seconds; ++round) {
      clock_.Advance(25);
      intake_->RunOnce(std::chrono::milliseconds(0));
    }
  }
  static kafka::Outgoing Order(const std::string& key) {
    kafka::ScheduleSms sms;
    sms.client = "acme";
    sms.key = key;
    sms.schedule = "1900000000-1900000060";
    sms.message = "sealed";
    return kafka::EncodeScheduleSms(sms);
  }
  static kafka::Outgoing Cancel(const std::string& key) {
    kafka::ScheduleSms sms;
    sms.action = kafka::ScheduleSms::Action::kCancel;
    sms.client = "acme";
    sms.key = key;
    return kafka::EncodeScheduleSms(sms);
  }
  void Add(const std::string& key, const kafka::TopicPartition& place = kOrders) {
    broker_.Append(place, Order(key), clock_.wall_ms);
  }
  void Add(int from, int till) {
    for (int i = from; i < till; ++i) Add(absl::StrCat("k", i));
  }
  std::vector<std::uint64_t> Positions(const std::string& topic = "orders") const {
    std::vector<std::uint64_t> positions;
    for (const auto& one : engine_.fed)
      if (one.origin.feed->log == topic) positions.push_back(one.origin.position);
    return positions;
  }
  double Figure(const std::string& name, const std::string& topic = "orders") const {
    for (const NamedFigure& figure : intake_->figures())
      if (figure.name == name && figure.labels[0].second == topic) return figure.value;
    return -1;
  }
  bool Reads(const std::string& topic = "orders") const { return Figure("smsflow_kafka_reading", topic) == 1; }
  void Say(const std::string& gateway, const std::string& uuid, bool leaves = false) {
    kafka::Announcement said;
    said.peer = {gateway, uuid};
    said.partitions = {0};
    said.tenants = {"acme"};
    said.credit = 10;
    said.leaves = leaves;
    broker_.Append(kStatus, kafka::EncodeAnnouncement(said), clock_.wall_ms);
  }
  // What a process that is killed leaves: the engine's rows.
  void Restart() {
    intake_.reset();
    engine_.fed.clear();
    announced_.clear();
    Open();
  }

  ModelBroker broker_;
  NotingEngine engine_;
  engine::ManualClock clock_;
  std::unique_ptr<workflows::delivery::ZoneResolver> zones_ = workflows::delivery::MakeZoneResolver();
  Validation validation_{[] {
                           LimitsConfig limits;
                           limits.horizon_ms = 0;
                           return limits;
                         }(),
                         zones_.get()};
  DeadLetters dead_letters_{"dead"};
  IntakeOptions options_;
  std::vector<kafka::Announcement> announced_;
  std::unique_ptr<Intake> intake_;
};

TEST_F(IntakeTest, GivesEachRecordOnceAndInOrder) {
  Add(0, 3);
  Open();
  Add(3, 5);
  Run();
  EXPECT_THAT(Positions(), ElementsAre(0, 1, 2, 3, 4));
  broker_.GiveAgain(4);
  Run();
  EXPECT_THAT(Positions(), SizeIs(5)) << "what the client gives once more was given";
  Run(6);
  EXPECT_EQ(broker_.CommittedOf(kOrders), 5) << "for tools";
}

TEST_F(IntakeTest, GoesOnFromWhereItsFolderIsWhateverTheGroupSays) {
  Add(0, 6);
  Open();
  Run(6);
  broker_.MakeConsumer()->Commit({{kOrders, 0}});
  Restart();
  EXPECT_THAT(Positions(), IsEmpty());
  Add(6, 7);
  Run();
  EXPECT_THAT(Positions(), ElementsAre(6));
}

TEST_F(IntakeTest, ANewOrRestoredFolderWaitsForAPersonWhereItsGroupHasCome) {
  Add(0, 6);
  Open();
  Run(6);
  ASSERT_EQ(broker_.CommittedOf(kOrders), 6);
  const auto rows = engine_.rows;
  engine_.rows.clear();
  Restart();
  Run(12);
  EXPECT_THAT(Positions(), IsEmpty());
  EXPECT_FALSE(Reads());
  EXPECT_TRUE(Reads("status")) << "reports that are read again do nothing";
  // As of before two of them.
  engine_.rows = rows;
  engine_.rows[{"orders", 0}].next.assign(4, 4);
  engine_.rows[{"orders", 0}].highest = engine_.rows[{"orders", 0}].lowest = 4;
  engine_.rows[{"orders", 0}].digest = {};
  Restart();
  EXPECT_FALSE(Reads());
  options_.accept = {kOrders};
  Restart();
  Run(2);
  EXPECT_THAT(Positions(), ElementsAre(4, 5)) << "what the folder does not know";
  engine_.rows.clear();
  options_.from_end = true;
  Restart();
  Add(6, 7);
  Run(2);
  EXPECT_THAT(Positions(), ElementsAre(6)) << "what comes from now on";
}

TEST_F(IntakeTest, FromTheEndIsForTopicsThatAreThereAtTheFirstLook) {
  options_.from_end = true;
  Add(0, 3);
  Open();
  EXPECT_THAT(Positions(), IsEmpty());
  broker_.Append(kMore, Order("added"), clock_.wall_ms);
  Add(3, 4);
  Run(12);
  EXPECT_THAT(Positions(), testing::UnorderedElementsAre(3, 0)) << "a partition that is added begins at its beginning";
}

TEST_F(IntakeTest, AnotherLogIsNotReadUntilAPersonAcceptsIt) {
  Add(0, 4);
  Open();
  Run(6);
  broker_.MakeTopic("orders", 1);
  Add(10, 16);
  Restart();
  Run(12);
  EXPECT_THAT(Positions(), IsEmpty());
  EXPECT_FALSE(Reads());
  options_.accept = {kOrders};
  Restart();
  EXPECT_THAT(Positions(), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_TRUE(engine_.anew_asked);
}

TEST_F(IntakeTest, ALogThatWasCutOffAndWrittenOnIsFoundWhenItsLeaderChanges) {
  Add(0, 6);
  Open();
  Run(2);
  ASSERT_THAT(Positions(), SizeIs(6));
  broker_.Truncate(kOrders, 2);
  Add(20, 30);
  broker_.ChangeLeader(kOrders);
  Run(22);
  EXPECT_FALSE(Reads()) << "though what was read last stands where it was read";
  Run(60);
  EXPECT_FALSE(Reads()) << "nor later";
}

TEST_F(IntakeTest, ALogThatIsCutOffAfterALongSilenceIsFoundThoughItIsReadOnBefore) {
  for (const bool restarted : {false, true}) {
    Add(0, 6);
    Open();
    Run(60);
    if (restarted) Restart();
    Run(60);
    const auto end = broker_.End(kOrders);
    broker_.Truncate(kOrders, end - 2);
    Add(20, 26);
    broker_.ChangeLeader(kOrders);
    Run(22);
    EXPECT_FALSE(Reads()) << restarted;
    broker_.MakeTopic("orders", 1);
    options_.accept = {kOrders};
    Restart();
    options_.accept.clear();
  }
}

TEST_F(IntakeTest, AnotherLogIsNotReadThoughWhatShowedItIsDeleted) {
  Add(0, 6);
  Open();
  Run(6);
  broker_.Truncate(kOrders, 4);
  Add(20, 26);
  broker_.ChangeLeader(kOrders);
  Run(22);
  ASSERT_FALSE(Reads());
  const auto given = Positions();
  broker_.DeleteBefore(kOrders, 6);
  Add(30, 40);
  Run(60);
  EXPECT_FALSE(Reads()) << "two records of it were never read";
  EXPECT_EQ(Positions(), given);
}

TEST_F(IntakeTest, ALogThatBecameShorterIsNotReadOn) {
  Add(0, 6);
  Open();
  Run(2);
  broker_.Truncate(kOrders, 3);
  Run(22);
  EXPECT_FALSE(Reads());
}

TEST_F(IntakeTest, WhatWasDeletedUnreadIsToldAndAcceptedWithoutGoingBack) {
  Add(0, 3);
  Open();
  Run(6);
  intake_.reset();
  Add(3, 9);
  broker_.DeleteBefore(kOrders, 6);
  Open();
  Run(12);
  EXPECT_THAT(Positions(), SizeIs(3));
  EXPECT_FALSE(Reads());
  options_.accept = {kOrders};
  Restart();
  EXPECT_THAT(Positions(), ElementsAre(6, 7, 8));
  EXPECT_FALSE(engine_.anew_asked) << "the same log: who has come further stays there";
  EXPECT_EQ(engine_.again, 0U);
  Restart();
  EXPECT_THAT(Positions(), ElementsAre(6, 7, 8)) << "not all shards are there yet";
  EXPECT_EQ(engine_.again, 3U) << "and once is enough";
}

TEST_F(IntakeTest, ATopicThatComesBackWithFewerPartitionsIsReadByThoseAlone) {
  broker_.MakeTopic("orders", 2);
  Open();
  Run(2);
  EXPECT_TRUE(Reads());
  broker_.MakeTopic("orders", 1);
  Run(22);
  Add(0, 1);
  Run(2);
  EXPECT_THAT(Positions(), ElementsAre(0));
  for (const NamedFigure& figure : intake_->figures()) EXPECT_NE(figure.labels[1].second, "1");
}

TEST_F(IntakeTest, NewWorkWaitsWhereNoneIsTakenAndWhatStopsItDoesNot) {
  engine_.takes_creations = false;
  broker_.Append(kOrders, Cancel("k"), clock_.wall_ms);
  Add(0, 2);
  broker_.Append(kOrders, Cancel("k"), clock_.wall_ms);
  Open();
  EXPECT_THAT(Positions(), ElementsAre(0));
  engine_.takes_creations = true;
  Run();
  EXPECT_THAT(Positions(), ElementsAre(0, 1, 2, 3));
}

TEST_F(IntakeTest, ACommandForManyWaitsForThoseBeforeItAndThoseBehindWait) {
  engine_.answer_at_once = false;
  Add(0, 2);
  broker_.Append(kOrders, Cancel("k"), clock_.wall_ms);
  Add(2, 3);
  Open();
  EXPECT_THAT(Positions(), ElementsAre(0, 1));
  engine_.Answer(1, engine::Taking::kApplied);
  Run();
  EXPECT_THAT(Positions(), ElementsAre(0, 1));
  engine_.Answer(0, engine::Taking::kApplied);
  Run();
  EXPECT_THAT(Positions(), ElementsAre(0, 1, 2));
  Run();
  EXPECT_THAT(Positions(), ElementsAre(0, 1, 2));
  engine_.Answer(2, engine::Taking::kApplied);
  Run();
  EXPECT_THAT(Positions(), ElementsAre(0, 1, 2, 3));
}

TEST_F(IntakeTest, APartitionWaitsForItsLetterAlone) {
  broker_.MakeTopic("orders", 2);
  broker_.Append(kOrders, {"", "no json", {}}, clock_.wall_ms);
  Add("behind");
  Add("beside", kMore);
  Open();
  EXPECT_THAT(Positions(), testing::UnorderedElementsAre(0, 0));
  intake_->DeadLetterTaken({"orders", 0}, 0);
  Run();
  EXPECT_THAT(Positions(), testing::UnorderedElementsAre(0, 0, 1));
}

TEST_F(IntakeTest, BoundsWhatIsUnansweredByNumberAndByBytes) {
  engine_.answer_at_once = false;
  options_.unanswered_max = 10;
  Add(0, 50);
  Open();
  EXPECT_THAT(Positions(), SizeIs(10));
  engine_.Answer(0, engine::Taking::kApplied);
  Run();
  EXPECT_THAT(Positions(), SizeIs(11));
  options_.unanswered_max = 4'000;
  options_.unanswered_bytes_max = 5 * Order("k0").value.size();
  engine_.rows.clear();
  Restart();
  EXPECT_THAT(Positions(), SizeIs(5));
}

TEST_F(IntakeTest, OfThePastOnlyEachGatewaysLastWordCounts) {
  Say("g1", kOther);
  Say("g1", kOther, /*leaves=*/true);
  Say("g2", kUuid);
  Say("g1", kUuid);
  Say("nobody", kUuid);
  Open();
  ASSERT_THAT(announced_, SizeIs(3));
  std::map<std::string, std::string> said;
  for (const auto& one : announced_) said[one.peer.gateway] = one.peer.store_uuid;
  EXPECT_EQ(said["g1"], kUuid);
  EXPECT_EQ(said["g2"], kUuid);
  Say("g1", kUuid);
  Say("g1", kUuid, /*leaves=*/true);
  Run();
  EXPECT_THAT(announced_, SizeIs(5)) << "of now, every one counts";
}

TEST_F(IntakeTest, ABrokerThatIsAwayIsWaitedFor) {
  broker_.SetAway(true);
  Add(0, 2);
  Open();
  Run(12);
  EXPECT_THAT(Positions(), IsEmpty());
  broker_.SetAway(false);
  Run(22);
  EXPECT_THAT(Positions(), ElementsAre(0, 1));
}

}  // namespace
}  // namespace smsflow::server
