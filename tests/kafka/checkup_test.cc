#include "kafka/checkup.h"

#include <gtest/gtest.h>

#include "tests/kafka/broker.h"

namespace smsflow::kafka {
namespace {

using Configs = std::map<std::string, std::string>;

TopicInfo Topic(std::size_t replicas, std::size_t in_sync) {
  return {"send-sms", absl::OkStatus(), {{0, 1, replicas, in_sync, absl::OkStatus()}}};
}
// "BAD …" or "note …" or "good …", the worst first.
std::string Judged(const TopicInfo& topic, const Configs& configs, std::size_t brokers = 3) {
  std::string all;
  for (const Finding& finding : JudgeTopic(topic, configs, brokers)) {
    if (!all.empty()) all += " | ";
    all += finding.verdict == Verdict::kBad ? "BAD " : finding.verdict == Verdict::kNote ? "note " : "good ";
    all += finding.detail;
  }
  return all;
}

TEST(Checkup, WhatIsAsItShouldBeIsGood) {
  EXPECT_EQ(Judged(Topic(3, 3), {{"min.insync.replicas", "2"},
                                 {"retention.ms", "604800000"},
                                 {"retention.bytes", "-1"},
                                 {"cleanup.policy", "delete"},
                                 {"unclean.leader.election.enable", "false"},
                                 {"max.message.bytes", "1048588"}}),
            "good 1 partitions");
  EXPECT_EQ(Judged(Topic(3, 3), {{"min.insync.replicas", "2"}, {"retention.ms", "-1"}}), "good 1 partitions");
}

TEST(Checkup, AMissingTopicIsTold) {
  EXPECT_EQ(Judged({"x", absl::NotFoundError("x"), {}}, {}),
            "BAD there is no such topic; make it, for nothing here makes one by itself");
}

TEST(Checkup, ATopicThatNotEverySiteNeedsIsANoteWhereItIsMissingAndJudgedWhereItIsThere) {
  const auto judged = [](const TopicInfo& topic, const Configs& configs) {
    return JudgeOptionalTopic(topic, configs, 3, "SMSes from phones").front();
  };
  EXPECT_EQ(judged({"sms-inbound", absl::NotFoundError("x"), {}}, {}),
            (Finding{Verdict::kNote, "sms-inbound", "there is no such topic; make it for SMSes from phones"}));
  EXPECT_EQ(judged(Topic(3, 3), {{"min.insync.replicas", "2"}, {"retention.ms", "3600000"}}).verdict, Verdict::kBad);
  EXPECT_EQ(judged({"sms-inbound", absl::PermissionDeniedError("not for you"), {}}, {}).verdict, Verdict::kBad);
}

TEST(Checkup, ShortRetentionIsTold) {
  const auto with = [](const char* ms) {
    return Judged(Topic(3, 3), {{"min.insync.replicas", "2"}, {"retention.ms", ms}});
  };
  EXPECT_EQ(with("3600000"), "BAD retention.ms is 1 h: an outage of that length loses records; set 7 days");
  EXPECT_EQ(with("172800000"), "note retention.ms is 2 days; 7 days outlast a longer outage");
  EXPECT_EQ(Judged(Topic(3, 3), {{"min.insync.replicas", "2"}, {"retention.bytes", "1000"}}),
            "note retention.bytes is set: a burst may push out what was not read");
  EXPECT_EQ(Judged(Topic(3, 3), {{"min.insync.replicas", "2"}, {"cleanup.policy", "compact,delete"}}),
            "BAD cleanup.policy compacts: records that were never read are deleted; set delete");
}

TEST(Checkup, WhatIsAcknowledgedTooCheaplyOrNotAtAllIsTold) {
  EXPECT_EQ(Judged(Topic(3, 3), {{"min.insync.replicas", "1"}}),
            "BAD min.insync.replicas is 1 of 3: what one broker acknowledged alone may be lost; set 2");
  EXPECT_EQ(Judged(Topic(2, 2), {{"min.insync.replicas", "2"}}),
            "note min.insync.replicas is all 2 copies: one broker away stops the writing");
  EXPECT_EQ(Judged(Topic(1, 1), {{"min.insync.replicas", "2"}}),
            "BAD min.insync.replicas is 2 of 1 copies: nothing can be written");
  EXPECT_EQ(
      Judged(Topic(3, 1), {{"min.insync.replicas", "2"}}),
      "BAD only 1 copies are in sync, and min.insync.replicas is 2: nothing can be written until a broker is back");
  EXPECT_EQ(Judged(Topic(1, 1), {}), "note one copy, on one of several brokers: a lost disk loses SMSes; make it 3");
  EXPECT_EQ(Judged(Topic(1, 1), {}, 1), "note one broker, one copy: a lost disk loses what was acknowledged");
  TopicInfo leaderless = Topic(3, 3);
  leaderless.partitions[0].leader = -1;
  EXPECT_EQ(
      Judged(leaderless,
             {{"min.insync.replicas", "2"}, {"unclean.leader.election.enable", "true"}, {"max.message.bytes", "1000"}}),
      "BAD partition 0 has no leader: nothing goes in or out | BAD unclean.leader.election.enable is true: what was "
      "acknowledged may be lost; set false | note max.message.bytes is below 300000: the largest records are refused");
}

TEST(Checkup, AClockThatDiffersIsTold) {
  const Announcement said{.peer = {"g1", ""},
                          .partitions = {0, 1},
                          .tenants = {},
                          .key_ids = {},
                          .credit = 7,
                          .marks = {},
                          .at_ms = 100'000};
  EXPECT_EQ(JudgeClock(said, 100'900), (Finding{Verdict::kGood, "g1", "reads 2 partitions, takes 7 at once"}));
  EXPECT_EQ(JudgeClock(said, 105'000).detail,
            "its clock is 5 s behind this machine's: slots and deadlines will be missed");
  EXPECT_EQ(JudgeClock(said, 90'000).detail,
            "its clock is 10 s ahead of this machine's: slots and deadlines will be missed");
}

TEST(Checkup, ARealBrokerIsLookedAtAndNothingIsMade) {
  const std::string there = FreshTopic(SharedBroker(), 2, {{"retention.ms", "3600000"}});
  const ClientOptions options{.name = "test", .servers = SharedBroker(), .properties = {}};
  const auto findings = CheckUp(options, {there, there + "-missing"}, {{there + "-only-some", "something"}}, there,
                                std::chrono::milliseconds(300), [] { return 0; });
  ASSERT_GE(findings.size(), 6u);
  EXPECT_EQ(findings[0], (Finding{Verdict::kGood, "brokers", "1 answer"}));
  EXPECT_EQ(findings[1].verdict, Verdict::kBad);
  EXPECT_EQ(findings[1].detail, "retention.ms is 1 h: an outage of that length loses records; set 7 days");
  EXPECT_EQ(findings[findings.size() - 3].what, "gateways");
  EXPECT_EQ(findings[findings.size() - 2].what, there + "-missing");
  EXPECT_EQ(findings[findings.size() - 2].verdict, Verdict::kBad);
  EXPECT_EQ(findings.back(),
            (Finding{Verdict::kNote, there + "-only-some", "there is no such topic; make it for something"}));
}

TEST(Checkup, TopicsAreMadeWhereTheyAreMissingAndOnlyThere) {
  const std::string there = FreshTopic(SharedBroker(), 1, {{"retention.ms", "3600000"}});
  const ClientOptions options{.name = "test", .servers = SharedBroker(), .properties = {}};
  const std::vector<std::string> topics = {there, there + "-made"};
  ASSERT_TRUE(MakeTopics(options, topics, 3).ok());
  ASSERT_TRUE(MakeTopics(options, topics, 3).ok()) << "again changes nothing";
  const auto admin = Admin::Open(options);
  const auto infos = (*admin)->Topics(topics, std::chrono::seconds(90));
  ASSERT_TRUE(infos.ok()) << infos.status();
  EXPECT_EQ(infos->at(0).partitions.size(), 1u);
  EXPECT_EQ(infos->at(1).partitions.size(), 3u);
  EXPECT_EQ((*admin)->Configs(topics[1], std::chrono::seconds(90))->at("retention.ms"), "604800000");
}

}  // namespace
}  // namespace smsflow::kafka
