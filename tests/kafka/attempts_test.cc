#include <gtest/gtest.h>

#include <string>

#include "kafka/records.h"
#include "tests/kafka/refusal.h"

namespace smsflow::kafka {
namespace {

const AttemptId kAttempt{InstanceId::Make(1'767'225'600'000, ShardId{5}, 77), 3};
const PeerId kPeer{"loopback", "0b54e3a2-8d5c-4c1e-9f53-8f0a5c8f0001"};

SendSms Sample() {
  SendSms sms;
  sms.attempt = kAttempt;
  sms.client = "clinic";
  sms.deadline_ms = 1'767'229'200'250;
  sms.payload = "ENCB\"\\";
  sms.client_key = "k 1";
  sms.key_id = "kid";
  sms.peer = kPeer;
  sms.mark = ShardMark{5, 2, 1234, std::string("\x00\xFF seal", 7)};
  return sms;
}

std::string SendRefusal(std::string_view value, std::vector<HeaderView> headers = {{"smsflow-op", "send"}}) {
  return Refusal(DecodeSendSms(value, headers));
}
std::string StatusRefusal(std::string_view value, std::vector<HeaderView> headers = {}) {
  return Refusal(DecodeStatusSms(value, headers));
}

TEST(SendSms, ItsJsonHasTheFourOldFieldsAndNoMore) {
  const Outgoing record = EncodeSendSms(Sample());
  const std::string id = kAttempt.ToString();
  EXPECT_EQ(record.value, "{\"correl-id\":\"" + id +
                              R"(","client-id":"clinic","deadline":"2026-01-01T01:00:00.250Z",)" +
                              R"("payload":"ENCB\"\\"})");
  EXPECT_EQ(record.key, id);
  EXPECT_EQ(FindHeader(ViewsOf(record.headers), kMark), "5.1234.AP8gc2VhbA");
}

TEST(SendSms, IsReadAsItWasWritten) {
  SendSms bare = Sample();
  bare.client_key = bare.key_id = "";
  bare.peer = {};
  bare.mark.reset();
  SendSms binary = Sample();
  binary.payload = std::string("\xFF\x00\x01", 3);
  SendSms unsealed = Sample();
  unsealed.mark->seal = "";
  SendSms probe = Sample();
  probe.op = SendSms::Op::kProbe;
  probe.payload = "";
  SendSms nameless = probe;  // as the engine asks
  nameless.client = nameless.client_key = nameless.key_id = "";
  nameless.mark.reset();
  for (const SendSms& sms : {Sample(), bare, binary, unsealed, probe, nameless}) {
    const Outgoing record = EncodeSendSms(sms);
    const auto back = DecodeSendSms(record.value, ViewsOf(record.headers));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, sms);
  }
  EXPECT_EQ(EncodeSendSms(probe).value.find("payload"), std::string::npos);
}

TEST(SendSms, OfAnOldEngineIsNotForUs) {
  const Outgoing record = EncodeSendSms(Sample());
  EXPECT_TRUE(IsOfOldEngine({}));
  EXPECT_FALSE(IsOfOldEngine(ViewsOf(record.headers)));
  EXPECT_TRUE(absl::IsFailedPrecondition(DecodeSendSms(record.value, {}).status()));
}

TEST(OldSendSms, IsReadWholeOrSaysWhatItLacks) {
  const auto read = DecodeOldSendSms(
      R"({"correl-id":"7f1c2d3e","client-id":"clinic","deadline":"2026-01-01T01:00:00Z","payload":"ENCB"})");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, (OldSendSms{"7f1c2d3e", "clinic", 1'767'229'200'000, "ENCB", ""}));
  const auto lacks = [](const std::string& rest) {
    const auto sms = DecodeOldSendSms(R"({"correl-id":"7f1c2d3e","client-id":"clinic")" + rest + "}");
    return sms.ok() ? std::string(sms->lacks) : sms.status().ToString();
  };
  EXPECT_EQ(lacks(R"(,"deadline":"2026-01-01T01:00:00Z")"), "Request lacks Payload field");
  EXPECT_EQ(lacks(R"(,"payload":"ENCB")"), "Request lacks Deadline field");
  EXPECT_EQ(lacks(R"(,"payload":"ENCB","deadline":"tomorrow +255123456789")"), "Invalid deadline value");
  EXPECT_EQ(lacks(R"(,"payload":"ENCB","deadline":"2100-01-01T00:00:00Z","else":1)"), "") << "more is no harm";
}

TEST(OldSendSms, WithoutWhoToAnswerItIsRefused) {
  EXPECT_EQ(Refusal(DecodeOldSendSms("{}")), "correl-id: is missing; client-id: is missing");
  EXPECT_EQ(Refusal(DecodeOldSendSms(R"({"correl-id":17,"client-id":"","payload":[]})")),
            "correl-id: must be a string; client-id: must not be empty; payload: must be a string");
  EXPECT_EQ(Refusal(DecodeOldSendSms(R"({"client-id":"c","correl-id":")" + std::string(129, 'x') + "\"}")),
            "correl-id: must be at most 128 bytes");
  EXPECT_EQ(Refusal(DecodeOldSendSms("+255123456789 no JSON")), "value: must be one JSON object");
}

TEST(OldSendSms, ACauseIsSaidInTheWordsOfOldGateways) {
  EXPECT_EQ(ErrorTextOf(Reported::kFailedTransient, "smsc_error"), "Failed to send SMS through SMSC");
  EXPECT_EQ(ErrorTextOf(Reported::kInvalid, "no_route"), "Client ID is unknown or disallowed");
  EXPECT_EQ(ErrorTextOf(Reported::kExpired, "expired"), "");
  EXPECT_EQ(ErrorTextOf(Reported::kFailedTransient, "throttled"), "throttled") << "they had none for it";
  EXPECT_EQ(ErrorTextOf(Reported::kSent, ""), "");
  for (const char* cause : {"no_route", "invalid_recipient", "foreign_recipient", "invalid_message", "envelope",
                            "smsc_error", "deleted", "smsc_unknown", "undeliverable", "rejected", "throttled"}) {
    EXPECT_EQ(CauseOfErrorText(Reported::kInvalid, ErrorTextOf(Reported::kInvalid, cause)).cause, cause);
  }
}

TEST(SendSms, NamesWhatIsWrong) {
  EXPECT_EQ(SendRefusal("{}"),
            "correl-id: is missing; client-id: is missing; deadline: is missing; payload: is missing");
  EXPECT_EQ(SendRefusal(R"({"correl-id":"x","client-id":7,"deadline":"soon","payload":[]})"),
            "correl-id: must be the id of an SMS, a dot, and the number of the attempt; client-id: must be a string; "
            "deadline: must be an instant like 2026-01-31T10:00:00Z; payload: must be a string");
  const std::string whole = EncodeSendSms(Sample()).value;
  EXPECT_EQ(SendRefusal(whole, {{"smsflow-op", "sned"}}), "smsflow-op: must be send or probe");
  EXPECT_EQ(SendRefusal(whole, {{"smsflow-op", "send"}, {"smsflow-encoding", "rot13"}}),
            "payload: must be encoded as smsflow-encoding says, and that is base64");
  EXPECT_EQ(SendRefusal(whole, {{"smsflow-op", "send"}, {"smsflow-encoding", "base64"}}),
            "payload: must be encoded as smsflow-encoding says, and that is base64");
  EXPECT_EQ(
      SendRefusal(whole, {{"smsflow-op", "send"}, {"smsflow-store", "x"}}),
      "smsflow-gateway: must be 1 to 64 characters of A-Z a-z 0-9 . _ -; smsflow-store: must be a UUID in lower case");
  const std::string mark_rule =
      "smsflow-mark: must be SHARD.SEQUENCE or SHARD.SEQUENCE.SEAL, with smsflow-epoch beside it";
  for (const char* mark : {"", "5", "5.", "5.x", "4096.1", "5.1.*", "5.1.a.b", "-1.1", "5.99999999999999999999"}) {
    EXPECT_EQ(SendRefusal(whole, {{"smsflow-op", "send"}, {"smsflow-epoch", "1"}, {"smsflow-mark", mark}}), mark_rule)
        << mark;
  }
  EXPECT_EQ(SendRefusal(whole, {{"smsflow-op", "send"}, {"smsflow-mark", "5.1"}}), mark_rule);
  const std::string long_key(kHeaderBytesMax + 1, 'k');
  EXPECT_EQ(SendRefusal(whole, {{"smsflow-op", "send"}, {"smsflow-key", long_key}}),
            "smsflow-key: must be at most 1024 bytes");
}

TEST(StatusSms, IsReadAsItWasWritten) {
  StatusSms status{.correl_id = kAttempt.ToString(),
                   .attempt = kAttempt,
                   .client = "clinic",
                   .cause = {},
                   .at_ms = 1'767'225'600'000,
                   .peer = kPeer};
  for (const Reported result :
       {Reported::kNeverSeen, Reported::kAccepted, Reported::kUnknown, Reported::kSent, Reported::kFailedTransient,
        Reported::kFailedPermanent, Reported::kInvalid, Reported::kDelivered, Reported::kExpired}) {
    for (const About about : {About::kNotSaid, About::kMessage, About::kRecipient, About::kSender, About::kRoute}) {
      status.result = result;
      status.about = about;
      status.cause = "other";
      const Outgoing record = EncodeStatusSms(status);
      const auto back = DecodeStatusSms(record.value, ViewsOf(record.headers));
      ASSERT_TRUE(back.ok()) << back.status();
      EXPECT_EQ(*back, status) << record.value;
    }
  }
}

TEST(StatusSms, IsWrittenAsOldSchedulersReadIt) {
  const StatusSms status{.correl_id = "",
                         .attempt = kAttempt,
                         .client = "clinic",
                         .result = Reported::kFailedPermanent,
                         .about = About::kRecipient,
                         .cause = "invalid_recipient",
                         .at_ms = 1'767'225'600'999,
                         .peer = kPeer};
  const Outgoing record = EncodeStatusSms(status);
  EXPECT_EQ(record.value,
            R"({"client-id":"clinic","correl-id":")" + kAttempt.ToString() +
                R"(","timestamp":"2026-01-01T00:00:00Z","sms-status":"FAILED","error-text":"invalid_recipient"})");
  EXPECT_EQ(FindHeader(ViewsOf(record.headers), kFailure), "permanent;recipient");
}

TEST(StatusSms, OfAnOldGatewayIsReadAndItsTextGoesNoFurther) {
  const auto status = DecodeStatusSms(
      R"({"client-id":"test","correl-id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","timestamp":"2026-01-01T00:00:00Z",)"
      R"("sms-status":"INVALID","recall-id":"17","error-text":"SMS recipient not a valid number: +255123456789"})",
      {});
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(*status, (StatusSms{.correl_id = "3fa85f64-5717-4562-b3fc-2c963f66afa6",
                                .attempt = std::nullopt,
                                .client = "test",
                                .result = Reported::kInvalid,
                                .about = About::kRecipient,
                                .cause = "invalid_recipient",
                                .at_ms = 1'767'225'600'000,
                                .peer = std::nullopt}));
}

TEST(StatusSms, AClockThatIsWrongCostsNoReceipt) {
  const auto status = DecodeStatusSms(R"({"correl-id":"x","sms-status":"SENT","timestamp":"yesterday"})", {});
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->at_ms, 0);
}

TEST(StatusSms, NamesWhatIsWrong) {
  EXPECT_EQ(StatusRefusal("{}"), "correl-id: is missing; sms-status: is missing");
  EXPECT_EQ(
      StatusRefusal(
          R"({"correl-id":[1],"sms-status":4,"timestamp":7,"recall-id":8,"error-text":{},"client-id":false})"),
      "correl-id: must be a string; client-id: must be a string; sms-status: must be a string; timestamp: must be a "
      "string; recall-id: must be a string; error-text: must be a string");
  EXPECT_EQ(StatusRefusal(R"({"correl-id":"x","sms-status":"sent"})"),
            "sms-status: must be SENT, DELIVERED, FAILED, INVALID, EXPIRED, ACCEPTED, UNKNOWN or NEVER_SEEN");
  EXPECT_EQ(StatusRefusal("{\"correl-id\":\"" + std::string(129, 'x') + R"(","sms-status":"SENT"})"),
            "correl-id: must be at most 128 bytes");
  for (const char* failure : {"", "maybe", "permanent;weather", "permanent;message;sender"}) {
    EXPECT_EQ(StatusRefusal(R"({"correl-id":"x","sms-status":"FAILED"})", {{"smsflow-failure", failure}}),
              "smsflow-failure: must be permanent or transient, and may add ;message, ;recipient, ;sender or ;route")
        << failure;
  }
  EXPECT_EQ(StatusRefusal(R"({"correl-id":"x","sms-status":"SENT"})", {{"smsflow-gateway", "g"}}),
            "smsflow-store: must be a UUID in lower case");
}

TEST(Causes, EveryTextOfAnOldGatewayBecomesAWordOfTheList) {
  EXPECT_EQ(CauseOfErrorText(Reported::kInvalid, "SMS body is empty").cause, "invalid_message");
  EXPECT_EQ(CauseOfErrorText(Reported::kExpired, "Expired message").cause, "expired");
  EXPECT_EQ(CauseOfErrorText(Reported::kFailedTransient, "Message was undeliverable: 001").cause, "undeliverable");
  EXPECT_EQ(CauseOfErrorText(Reported::kFailedTransient, "absent").cause, "absent");
  EXPECT_EQ(CauseOfErrorText(Reported::kFailedTransient, "+255123456789 is away").cause, "other");
  EXPECT_EQ(CauseOfErrorText(Reported::kFailedTransient, "").cause, "failed");
  EXPECT_EQ(CauseOfErrorText(Reported::kSent, "").cause, "");
}

Announcement Said() {
  return {.peer = kPeer,
          .partitions = {0, 2, 3},
          .tenants = {"a", "b"},
          .key_ids = {"kid"},
          .credit = 1000,
          .marks = {{0, 1, 5, ""}, {63, 2, 7, "seal"}},
          .at_ms = 1'767'225'600'000,
          .leaves = false};
}

TEST(Announcement, IsReadAsItWasWritten) {
  Announcement leaving = Said();
  leaving.leaves = true;
  leaving.marks.clear();
  leaving.key_ids.clear();
  for (const Announcement& said : {Said(), leaving}) {
    const Outgoing record = EncodeAnnouncement(said);
    EXPECT_TRUE(IsAnnouncement(ViewsOf(record.headers)));
    const auto back = DecodeAnnouncement(record.value);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, said);
  }
  EXPECT_FALSE(IsAnnouncement({}));
}

TEST(Announcement, NamesWhatIsWrong) {
  EXPECT_EQ(Refusal(DecodeAnnouncement("{}")),
            "gateway: must be 1 to 64 characters of A-Z a-z 0-9 . _ -; store: must be a UUID in lower case; "
            "partitions: must be "
            "one or more, each once, in ascending order; tenants: must be one or more; credit: is missing");
  const auto with = [](const std::string& field) {
    std::string value = EncodeAnnouncement(Said()).value;
    const std::string name = field.substr(0, field.find(':'));
    const auto at = value.find(name + ":");
    const auto end = value[at + name.size() + 1] == '[' ? value.find(']', at) + 1 : value.find_first_of(",}", at);
    return Refusal(DecodeAnnouncement(value.replace(at, end - at, field)));
  };
  EXPECT_EQ(with(R"("partitions":[2,1])"), "partitions: must be one or more, each once, in ascending order");
  EXPECT_EQ(with(R"("partitions":[1,1])"), "partitions: must be one or more, each once, in ascending order");
  EXPECT_EQ(
      with(R"("partitions":["1"])"),
      "partitions: must be a list of at most 4096 integers from 0 to 2147483647; partitions: must be one or more, each "
      "once, in ascending order");
  EXPECT_EQ(with(R"("tenants":["a",[]])"),
            "tenants: must be a list of at most 10000 strings; tenants: must be one or more");
  EXPECT_EQ(with(R"("credit":0)"), "credit: must be an integer from 1 to 1000000");
  EXPECT_EQ(with(R"("marks":["0.1.5","0.1.6"])"),
            "marks: must be SHARD.EPOCH.SEQUENCE or SHARD.EPOCH.SEQUENCE.SEAL, each shard once");
  EXPECT_EQ(with(R"("marks":["4096.1.5"])"),
            "marks: must be SHARD.EPOCH.SEQUENCE or SHARD.EPOCH.SEQUENCE.SEAL, each shard once");
}

}  // namespace
}  // namespace smsflow::kafka
