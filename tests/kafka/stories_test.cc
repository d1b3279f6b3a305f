#include <gtest/gtest.h>

#include "kafka/records.h"
#include "tests/kafka/refusal.h"

namespace smsflow::kafka {
namespace {

TEST(SmsEvent, IsReadAsItWasWritten) {
  const InstanceId id = InstanceId::Make(1'767'225'600'000, ShardId{5}, 77);
  const SmsEvent whole{5,      99, id,       "clinic",          "b", "k", "report", "IN_SLOT", "SENT",
                       "SENT", 2,  "absent", 1'767'225'600'123, 3};
  const SmsEvent bare{0, 0, id, "clinic", "", "", "schedule", "", "PENDING", "", 0, "", 0};
  for (const SmsEvent& event : {whole, bare}) {
    const Outgoing record = EncodeSmsEvent(event);
    EXPECT_EQ(record.key, id.ToString());
    const auto back = DecodeSmsEvent(record.value);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, event);
    EXPECT_EQ(record.value.find("epoch") != std::string::npos, event.epoch != 1) << "the first is not said";
  }
}

TEST(SmsEvent, NamesWhatIsWrong) {
  EXPECT_EQ(
      Refusal(DecodeSmsEvent(
          R"({"shard":4096,"sequence":-1,"id":"x","client-id":"c","event":"e","state":"S","timestamp":"t","epoch":0})")),
      "shard: must be an integer from 0 to 4095; sequence: must be an integer from 0 to 9223372036854775807; id: "
      "must be "
      "the id of an SMS; timestamp: must be an instant like 2026-01-31T10:00:00Z; epoch: must be an integer from 1 to "
      "9223372036854775807");
  EXPECT_EQ(
      Refusal(DecodeSmsEvent("{}")),
      "shard: is missing; sequence: is missing; id: is missing; client-id: is missing; event: is missing; state: is "
      "missing; timestamp: is missing");
}

TEST(Inbound, IsReadAsItWasWritten) {
  const InboundRecord inbound{"0b8f0a5e-3d9f-4a77-8f43-2f3c5f1f0a11", "clinic", "a.b.c.d.e", 1'767'225'600'000};
  const Outgoing record = EncodeInbound(inbound);
  EXPECT_EQ(record.key, inbound.id);
  EXPECT_EQ(record.value,
            R"({"id":"0b8f0a5e-3d9f-4a77-8f43-2f3c5f1f0a11","client-id":"clinic","timestamp":"2026-01-01T00:00:00Z",)"
            R"("payload":"a.b.c.d.e"})");
  EXPECT_EQ(*DecodeInbound(record.value), inbound);
}

TEST(Inbound, NamesWhatIsWrong) {
  EXPECT_EQ(Refusal(DecodeInbound(R"({"id":1,"client-id":""})")),
            "id: must be a string; client-id: must not be empty; payload: is missing");
}

TEST(DeadLetter, IsReadAsItWasWritten) {
  const DeadLetter letter{"schedule-sms", 3, 17, "client: is missing", 1'767'225'600'000, 42, "engine"};
  const Outgoing record = EncodeDeadLetter(letter);
  EXPECT_EQ(record.key, "schedule-sms/3/17");
  const auto back = DecodeDeadLetter(record.value);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, letter);
}

TEST(DeadLetter, ALongReasonIsCut) {
  const DeadLetter letter{"t", 0, 0, std::string(2000, 'x'), 0, 0, "engine"};
  const auto back = DecodeDeadLetter(EncodeDeadLetter(letter).value);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->reason, std::string(kReasonBytesMax, 'x'));
}

TEST(DeadLetter, NamesWhatIsWrong) {
  EXPECT_EQ(Refusal(DecodeDeadLetter(R"({"topic":1,"partition":"0","offset":-1,"reason":""})")),
            "topic: must be a string; partition: must be an integer from 0 to 2147483647; offset: must be an integer "
            "from 0 to "
            "9223372036854775807; reason: must not be empty");
}

}  // namespace
}  // namespace smsflow::kafka
