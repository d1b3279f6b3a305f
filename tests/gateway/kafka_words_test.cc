#include "gateway/kafka_words.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/kafka_link.h"
#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

const PeerId kOurs{"g1", "0b54e3a2-8d5c-4c1e-9f53-8f0a5c8f0001"};

constexpr std::int32_t kPartition = 2;

kafka::Record Read(std::string value, kafka::Headers headers, std::int64_t offset = 40) {
  return kafka::Record(std::make_shared<const kafka::Record::Made>(
      kafka::Record::Made{{"send-sms", kPartition}, offset, kNow, "", std::move(value), std::move(headers)}));
}

Asked Ask(const kafka::SendSms& sms) {
  const auto record = kafka::EncodeSendSms(sms);
  return AskedBy(Read(record.value, record.headers), {kOurs, {"clinic"}}, kNow);
}

// A record as the old scheduler writes it.
std::string OldSms(std::string_view client = "clinic") {
  return absl::StrCat(R"({"correl-id":"0f6c1d52-77aa-11f0-8f4e-0242ac120002","client-id":")", std::string(client),
                      R"(","deadline":"2027-01-15T10:00:00Z","payload":"ENCBsealed"})");
}
Asked AskOld(std::string value, std::int64_t offset = 40) {
  return AskedBy(Read(std::move(value), {}, offset), {kOurs, {"clinic"}, true}, kNow);
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
  const auto* lease = std::get_if<Lease>(&asked);
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
  EXPECT_TRUE(std::holds_alternative<Lease>(Ask(sms))) << "an engine that names no store means whoever reads";
}

TEST(KafkaWords, WhatCannotBeReadSaysWhy) {
  const Asked asked = AskedBy(Read("{}", {{"smsflow-op", "send"}}), {kOurs, {"clinic"}}, kNow);
  const auto* unread = std::get_if<Unread>(&asked);
  ASSERT_NE(unread, nullptr);
  EXPECT_TRUE(absl::IsInvalidArgument(unread->why));
}

TEST(KafkaWords, AnOldEnginesRecordIsAnAttemptOfItsPlace) {
  const Asked asked = AskOld(OldSms());
  const auto* lease = std::get_if<Lease>(&asked);
  ASSERT_NE(lease, nullptr);
  EXPECT_EQ(lease->old, (OldName{"clinic", "0f6c1d52-77aa-11f0-8f4e-0242ac120002"}));
  EXPECT_EQ(lease->tenant, "clinic");
  EXPECT_EQ(lease->payload, "ENCBsealed");
  EXPECT_EQ(lease->deadline_ms, 1'800'007'200'000);
  // Every one that reads this record must come to the same attempt: stores were written with it.
  EXPECT_EQ(lease->attempt.ToString(), "ffe64be5-d5dd-745e-9eaa-1f69d1596c72.1");
  EXPECT_EQ(InstanceId::FromBytes(lease->attempt.instance.AsBytes()), lease->attempt.instance);
  const Asked again = AskOld(OldSms()), next_try = AskOld(OldSms(), 41);
  EXPECT_EQ(std::get<Lease>(again).attempt, lease->attempt);
  EXPECT_NE(std::get<Lease>(next_try).attempt, lease->attempt) << "its next try has the same correl-id";
}

TEST(KafkaWords, AnOldEnginesRecordIsTakenOnlyWhereAskedFor) {
  const Asked asked = AskedBy(Read(OldSms(), {}), {kOurs, {"clinic"}}, kNow);
  ASSERT_TRUE(std::holds_alternative<Unread>(asked));
  const auto record = kafka::EncodeSendSms(Sample());
  const Asked ours = AskedBy(Read(record.value, record.headers), {kOurs, {"clinic"}, true}, kNow);
  EXPECT_TRUE(std::get<Lease>(ours).old.empty()) << "one of an engine with attempts stays what it is";
}

// Exchanges with the old gateway, as it answers them.
TEST(KafkaWords, WhatAnOldEngineMustNotAskIsAnsweredAsTheOldGatewayDid) {
  const auto answer = [](std::string value) {
    const Asked asked = AskOld(std::move(value));
    const auto* refused = std::get_if<Refused>(&asked);
    if (refused == nullptr) return std::string("not refused");
    EXPECT_TRUE(refused->status.headers.empty());
    return refused->status.value;
  };
  const auto invalid = [](std::string_view client, std::string_view why) {
    return absl::StrCat(
        R"({"client-id":")", std::string(client),
        R"(","correl-id":"p1","timestamp":"2027-01-15T08:00:00Z","sms-status":"INVALID","error-text":")",
        std::string(why), "\"}");
  };
  EXPECT_EQ(answer(R"({"correl-id":"p1","client-id":"other","deadline":"x"})"),
            invalid("other", "Client ID is unknown or disallowed"));
  EXPECT_EQ(answer(R"({"correl-id":"p1","client-id":"clinic","deadline":"2027-01-15T10:00:00Z"})"),
            invalid("clinic", "Request lacks Payload field"));
  EXPECT_EQ(answer(R"({"correl-id":"p1","client-id":"clinic","payload":"ENCB"})"),
            invalid("clinic", "Request lacks Deadline field"));
  EXPECT_EQ(answer(R"({"correl-id":"p1","client-id":"clinic","deadline":"+255123456789","payload":"ENCB"})"),
            invalid("clinic", "Invalid deadline value"));
  EXPECT_TRUE(std::holds_alternative<Unread>(AskOld(R"({"client-id":"clinic"})"))) << "nobody to answer";
}

TEST(KafkaWords, AnOldEngineIsToldInItsForm) {
  const OldName name{"clinic", "p1"};
  const auto told = [&](Reported result, About about, const char* cause) {
    const auto record = StatusOf({Attempt(7), result, about, cause, kNow + 250, {}, name}, kOurs);
    EXPECT_TRUE(record.headers.empty());
    EXPECT_EQ(record.key, "p1");
    return record.value;
  };
  const std::string head = R"({"client-id":"clinic","correl-id":"p1","timestamp":"2027-01-15T08:00:00Z","sms-status":)";
  EXPECT_EQ(told(Reported::kSent, About::kNotSaid, ""), head + R"("SENT"})");
  EXPECT_EQ(told(Reported::kDelivered, About::kNotSaid, ""), head + R"("DELIVERED"})");
  EXPECT_EQ(told(Reported::kExpired, About::kNotSaid, "expired"), head + R"("EXPIRED"})");
  EXPECT_EQ(told(Reported::kFailedPermanent, About::kRoute, "smsc_error"),
            head + R"("FAILED","error-text":"Failed to send SMS through SMSC"})");
  EXPECT_EQ(told(Reported::kInvalid, About::kMessage, "envelope"),
            head + R"("INVALID","error-text":"Failed to parse request payload"})");
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

TEST(KafkaWords, WhatALinkCannotBeMadeOfIsNamed) {
  FakeClock clock;
  KafkaLinkOptions options;
  options.old_engine = true;
  EXPECT_EQ(MakeKafkaLink(options, clock).status().message(), "kafka: must be host:port, or several with commas");
  options.client.servers = "127.0.0.1:1";
  EXPECT_TRUE(MakeKafkaLink(options, clock).ok());
  options.old_group = "before";
  EXPECT_TRUE(MakeKafkaLink(options, clock).ok());
  options.old_engine = false;
  EXPECT_EQ(MakeKafkaLink(options, clock).status().message(), "old-group: is for --old-engine alone");
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
