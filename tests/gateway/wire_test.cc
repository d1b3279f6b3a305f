#include "gateway/wire.h"

#include <gtest/gtest.h>

#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

TEST(Wire, AReportsTagComesBackAsItsResult) {
  const Report report{Attempt(1), Reported::kFailedPermanent, About::kSender, "invalid_sender", kNow};
  const v1::Reports reports = ReportsOf({&report, 1});
  ASSERT_EQ(reports.reports_size(), 1);
  EXPECT_EQ(reports.reports(0).result(), v1::FAILED_PERMANENT);
  EXPECT_EQ(reports.reports(0).about(), v1::SENDER);
  EXPECT_EQ(reports.reports(0).cause(), "invalid_sender");
  v1::ReportAnswers answers;
  auto* answer = answers.add_answers();
  answer->set_attempt_id(reports.reports(0).attempt_id());
  answer->set_tag(reports.reports(0).tag());
  answer->set_outcome(v1::ReportAnswer::NOTED);
  ASSERT_EQ(AnswersOf(answers).size(), 1u);
  EXPECT_EQ(AnswersOf(answers)[0].attempt, Attempt(1));
  EXPECT_EQ(AnswersOf(answers)[0].result, Reported::kFailedPermanent);
  EXPECT_TRUE(AnswersOf(answers)[0].ours);
  answer->set_outcome(v1::ReportAnswer::NOT_YOURS);
  EXPECT_FALSE(AnswersOf(answers)[0].ours);
}

// 264 is 8, DELIVERED, to whoever keeps one byte of it.
TEST(Wire, AnAnswerToWhatWasNeverSaidIsNone) {
  for (const std::uint64_t tag :
       {std::uint64_t{0}, std::uint64_t{10}, std::uint64_t{264}, (std::uint64_t{1} << 32) + 8}) {
    v1::ReportAnswers answers;
    v1::ReportAnswer& answer = *answers.add_answers();
    answer.set_attempt_id(Attempt(1).ToString());
    answer.set_outcome(v1::ReportAnswer::APPLIED);
    answer.set_tag(tag);
    EXPECT_TRUE(AnswersOf(answers).empty()) << tag;
  }
}

TEST(Wire, WhatWasNeitherTakenNorRefusedIsNoAnswer) {
  v1::ReportAnswers answers;
  answers.add_answers()->set_attempt_id(Attempt(1).ToString());
  EXPECT_TRUE(AnswersOf(answers).empty());
}

TEST(Wire, NothingIsLeasedUnderAnIdThatIsNone) {
  v1::Leases leases;
  for (const char* id : {"", "1", "0197a6b2-3c00-7003-8000-000000000001", "0197a6b2-3c00-7003-8000-000000000001.0"}) {
    leases.add_leases()->set_attempt_id(id);
  }
  v1::Lease& good = *leases.add_leases();
  good.set_attempt_id(Attempt(7, 2).ToString());
  good.set_tenant("clinic");
  good.set_key("k");
  good.set_key_id("kid");
  good.set_deadline_ms(kNow);
  good.set_payload(std::string("\0\xff", 2));
  good.mutable_mark()->set_shard(3);
  good.mutable_mark()->set_epoch(2);
  good.mutable_mark()->set_sequence(9);
  good.set_again(true);
  const auto read = LeasesOf(leases);
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].attempt, Attempt(7, 2));
  EXPECT_EQ(read[0].tenant, "clinic");
  EXPECT_EQ(read[0].client_key, "k");
  EXPECT_EQ(read[0].lane, "kid");
  EXPECT_EQ(read[0].deadline_ms, kNow);
  EXPECT_EQ(read[0].payload.size(), 2u);
  EXPECT_EQ(read[0].mark.shard.value, 3);
  EXPECT_EQ(read[0].mark.epoch, 2u);
  EXPECT_EQ(read[0].mark.sequence, 9u);
  EXPECT_TRUE(read[0].again);
  v1::Probes probes;
  probes.add_probes()->set_attempt_id("rubbish");
  EXPECT_TRUE(ProbesOf(probes).empty());
}

}  // namespace
}  // namespace smsflow::gateway
