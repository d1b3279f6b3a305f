#include "gateway/kafka_words.h"

#include <gtest/gtest.h>

#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

const PeerId kOurs{"g1", "0b54e3a2-8d5c-4c1e-9f53-8f0a5c8f0001"};

Asked Ask(const kafka::SendSms& sms) {
  const auto record = kafka::EncodeSendSms(sms);
  return AskedBy(record.value, kafka::ViewsOf(record.headers), kOurs);
}

kafka::SendSms Sample() {
  kafka::SendSms sms;
  sms.attempt = Attempt(7, 3);
  sms.client = "clinic";
  sms.deadline_ms = kNow + kHour;
  sms.payload = "sealed";
  sms.client_key = "k1";
  sms.key_id = "kid";
  sms.peer = kOurs;
  sms.mark = kafka::ShardMark{3, 2, 41, "seal"};
  return sms;
}

TEST(KafkaWords, ARecordIsALeaseWithAllThatTheStreamWouldCarry) {
  const Asked asked = Ask(Sample());
  const auto* lease = std::get_if<engine::Lease>(&asked);
  ASSERT_NE(lease, nullptr);
  EXPECT_EQ(lease->attempt, Attempt(7, 3));
  EXPECT_EQ(lease->tenant, "clinic");
  EXPECT_EQ(lease->client_key, "k1");
  EXPECT_EQ(lease->lane, "kid");
  EXPECT_EQ(lease->deadline_ms, kNow + kHour);
  EXPECT_EQ(lease->payload, "sealed");
  EXPECT_EQ(lease->mark.shard, ShardId{3});
  EXPECT_EQ(lease->mark.epoch, 2u);
  EXPECT_EQ(lease->mark.sequence, 41u);
  EXPECT_EQ(lease->mark.seal, "seal");
}

TEST(KafkaWords, AProbeIsAProbe) {
  kafka::SendSms sms = Sample();
  sms.op = kafka::SendSms::Op::kProbe;
  const Asked asked = Ask(sms);
  const auto* probe = std::get_if<engine::Probe>(&asked);
  ASSERT_NE(probe, nullptr);
  EXPECT_EQ(probe->attempt, Attempt(7, 3));
  EXPECT_EQ(probe->deadline_ms, kNow + kHour);
}

TEST(KafkaWords, AnotherStoresRecordIsNotOurs) {
  kafka::SendSms sms = Sample();
  sms.peer.store_uuid.back() = '2';
  EXPECT_TRUE(std::holds_alternative<ForAnother>(Ask(sms)));
  sms.peer = {"g2", kOurs.store_uuid};
  EXPECT_TRUE(std::holds_alternative<ForAnother>(Ask(sms)));
  sms.peer = {};
  EXPECT_TRUE(std::holds_alternative<engine::Lease>(Ask(sms))) << "an engine that names no store means whoever reads";
}

TEST(KafkaWords, WhatCannotBeReadSaysWhy) {
  const Asked asked = AskedBy("{}", std::vector<kafka::HeaderView>{{"smsflow-op", "send"}}, kOurs);
  const auto* unread = std::get_if<Unread>(&asked);
  ASSERT_NE(unread, nullptr);
  EXPECT_TRUE(absl::IsInvalidArgument(unread->why));
}

TEST(KafkaWords, AReportNamesTheStore) {
  const auto record = StatusOf({Attempt(7), Reported::kInvalid, About::kRecipient, "invalid_recipient", kNow}, kOurs);
  const auto status = kafka::DecodeStatusSms(record.value, kafka::ViewsOf(record.headers));
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->attempt, Attempt(7));
  EXPECT_EQ(status->result, Reported::kInvalid);
  EXPECT_EQ(status->about, About::kRecipient);
  EXPECT_EQ(status->cause, "invalid_recipient");
  EXPECT_EQ(status->peer, kOurs);
}

TEST(KafkaWords, AnAnnouncementSaysWhatAHelloSays) {
  const engine::PeerHello hello{kOurs, {"a", "b"}, {"kid"}, {{ShardId{3}, 1, 9, "s"}}};
  const auto said = AnnouncementOf(hello, {0, 2}, 7, kNow);
  const auto back = kafka::DecodeAnnouncement(kafka::EncodeAnnouncement(said).value);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->peer, kOurs);
  EXPECT_EQ(back->tenants, hello.tenants);
  EXPECT_EQ(back->key_ids, hello.lanes);
  EXPECT_EQ(back->credit, 7u);
  EXPECT_EQ(back->partitions, (std::vector<std::int32_t>{0, 2}));
  ASSERT_EQ(back->marks.size(), 1u);
  EXPECT_EQ(back->marks[0].sequence, 9u);
}

TEST(KafkaWords, PartitionsAreNumbersAndRanges) {
  const auto parsed = ParsePartitions("7,0-3,2");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, (std::vector<std::int32_t>{0, 1, 2, 3, 7}));
  for (const char* text : {"", "a", "1,", "3-1", "-1", "1-2-3", "0-4096", "1.5", "0-99999999999"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParsePartitions(text).status())) << text;
  }
}

}  // namespace
}  // namespace smsflow::gateway
