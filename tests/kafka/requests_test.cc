#include <gtest/gtest.h>

#include <string>

#include "kafka/records.h"
#include "tests/kafka/refusal.h"

namespace smsflow::kafka {
namespace {

using Action = ScheduleSms::Action;

std::string RefusalOf(std::string_view value) { return Refusal(DecodeScheduleSms(value, {})); }
std::string TimerRefusal(std::string_view value) { return Refusal(DecodeTimerSms(value)); }

constexpr const char* kWhole = R"({"action":"schedule","client":"clinic","target":"t1","key":"k1","batch":"b1",)"
                               R"("schedule":"10-20","message":"ENCB"})";

TEST(ScheduleSms, IsReadAsOldClientsWriteIt) {
  const HeaderView header{"idempotency-key", "once"};
  const auto sms = DecodeScheduleSms(kWhole, {&header, 1});
  ASSERT_TRUE(sms.ok()) << sms.status();
  EXPECT_EQ(*sms, (ScheduleSms{Action::kSchedule, "clinic", "t1", "k1", "b1", "10-20", "ENCB", "once"}));
  const auto cancel = DecodeScheduleSms(R"({"client":"clinic","action":"cancel","key":"k1"})", {});
  ASSERT_TRUE(cancel.ok()) << cancel.status();
  EXPECT_EQ(*cancel, (ScheduleSms{Action::kCancel, "clinic", "", "k1", "", "", "", ""}));
  const auto block = DecodeScheduleSms(R"( { "action" : "block", "client" : "clinic", "target" : "t\u00e9" } )", {});
  ASSERT_TRUE(block.ok()) << block.status();
  EXPECT_EQ(*block, (ScheduleSms{Action::kBlock, "clinic", "t\xC3\xA9", "", "", "", "", ""}));
}

TEST(ScheduleSms, IsWrittenAsItIsRead) {
  const ScheduleSms all[] = {{Action::kSchedule, "clinic", "t", "k", "b", "", "line\n\"quoted\"\\ \x01", "once"},
                             {Action::kSchedule, "clinic", "", "", "", "1-2", "x", ""},
                             {Action::kCancel, "clinic", "", "k", "", "", "", ""},
                             {Action::kBlock, "clinic", "t", "", "", "", "", ""}};
  for (const ScheduleSms& sms : all) {
    const Outgoing record = EncodeScheduleSms(sms);
    const auto back = DecodeScheduleSms(record.value, ViewsOf(record.headers));
    ASSERT_TRUE(back.ok()) << back.status() << record.value;
    EXPECT_EQ(*back, sms);
  }
  EXPECT_EQ(EncodeScheduleSms(all[2]).value, R"({"action":"cancel","client":"clinic","key":"k"})");
}

TEST(ScheduleSms, WhatIsNotKnownOrNullIsIgnored) {
  const auto sms = DecodeScheduleSms(
      R"({"x":{"client":"other","y":[1,{"z":null}]},"action":"schedule","client":"clinic","target":null,"key":null,)"
      R"("schedule":"","message":"m","deadline":7,"list":["a",["b"]],"client2":1e400})",
      {});
  ASSERT_TRUE(sms.ok()) << sms.status();
  EXPECT_EQ(*sms, (ScheduleSms{Action::kSchedule, "clinic", "", "", "", "", "m", ""}));
  // What an action does not speak of may be anything.
  EXPECT_TRUE(DecodeScheduleSms(R"({"action":"cancel","client":"c","key":"k","target":7})", {}).ok());
}

TEST(ScheduleSms, AllThatIsWrongIsNamedAtOnce) {
  EXPECT_EQ(RefusalOf(R"({"action":"schedule","client":7,"target":["t"],"key":{},"batch":true,"schedule":1.5})"),
            "client: must be a string; target: must be a string; key: must be a string; batch: must be a string; "
            "schedule: must be a string; message: is missing");
  EXPECT_EQ(RefusalOf(R"({"action":"schedule","client":"","message":"","schedule":null})"),
            "client: must not be empty; schedule: is missing; message: must not be empty");
}

TEST(ScheduleSms, TheActionDecides) {
  EXPECT_EQ(RefusalOf(R"({"client":"c"})"), "action: is missing");
  EXPECT_EQ(RefusalOf(R"({"action":7})"), "action: must be a string");
  EXPECT_EQ(RefusalOf(R"({"action":"Schedule"})"), "action: must be schedule, cancel or block");
  EXPECT_EQ(RefusalOf(R"({"action":"unblock","client":"c"})"), "action: must be schedule, cancel or block");
  EXPECT_EQ(RefusalOf(R"({"action":"cancel","client":"c"})"), "key: is missing");
  EXPECT_EQ(RefusalOf(R"({"action":"block"})"), "client: is missing; target: is missing");
}

TEST(ScheduleSms, AMemberThatIsThereTwiceIsNoMember) {
  EXPECT_EQ(RefusalOf(R"({"action":"cancel","client":"a","client":"b","key":"k"})"), "client: must not be there twice");
  EXPECT_EQ(RefusalOf(R"({"action":"cancel","client":"a","client":null,"key":"k"})"),
            "client: must not be there twice");
}

TEST(ScheduleSms, WhatIsNotOneObjectIsRefusedWhole) {
  const char* object = "value: must be one JSON object";
  for (const std::string& value : {std::string("x"),
                                   std::string("[]"),
                                   std::string("\"text\""),
                                   std::string("7"),
                                   std::string("null"),
                                   std::string(" "),
                                   std::string("{"),
                                   std::string("{}{}"),
                                   std::string("{} x"),
                                   std::string("{'a':1}"),
                                   std::string("{\"a\":1,}"),
                                   std::string("{\"a\":NaN}"),
                                   std::string("/**/{}"),
                                   std::string("\xEF\xBB\xBF{}"),
                                   std::string("{\"a\":\"\xFF\"}"),
                                   std::string("{\"a\":\"\xC0\x80\"}"),
                                   std::string("{\"a\":\"\\ud800\"}"),
                                   std::string("{\"a\":\"\n\"}"),
                                   std::string("{\"a\":01}"),
                                   std::string("\0\0\0\0\x07"
                                               "abc",
                                               8),
                                   std::string("{\"action\":\"cancel\",\"client\":\"c\",\"key\":\"k\"")}) {
    EXPECT_EQ(RefusalOf(value), object) << value;
  }
  EXPECT_EQ(RefusalOf(""), "value: must not be empty");
  EXPECT_EQ(RefusalOf("{}"), "action: is missing");
}

TEST(ScheduleSms, IsBoundedInSizeAndDepth) {
  EXPECT_EQ(RefusalOf(std::string(kValueBytesMax + 1, ' ')), "value: must be at most 262144 bytes");
  EXPECT_EQ(RefusalOf(R"({"a":)" + std::string(100'000, '[')), "value: must not nest deeper than 16");
  std::string deep = R"({"a":)" + std::string(kDepthMax - 1, '[') + std::string(kDepthMax - 1, ']') + "}";
  EXPECT_EQ(RefusalOf(deep), "action: is missing");
  const std::string key(kHeaderBytesMax + 1, 'k');
  const HeaderView header{"idempotency-key", key};
  EXPECT_EQ(Refusal(DecodeScheduleSms(kWhole, {&header, 1})), "idempotency-key: must be 1 to 1024 bytes");
}

TEST(ScheduleSms, NothingOfARecordIsRepeated) {
  const std::string secret = "+255123456789";
  for (const std::string& value :
       {"{\"action\":\"" + secret + "\"}", "{\"" + secret + "\":1}",
        "{\"action\":\"block\",\"target\":\"" + secret + "\"}",
        "{\"action\":\"schedule\",\"client\":\"c\",\"message\":[\"" + secret + "\"]}", secret}) {
    EXPECT_EQ(RefusalOf(value).find("255"), std::string::npos) << value;
  }
}

TEST(TimerSms, IsReadAndWritten) {
  const InstanceId id = InstanceId::Make(1'767'225'600'000, ShardId{5}, 77);
  for (const TimerSms& timer :
       {TimerSms{"clinic", id, ""}, TimerSms{"clinic", std::nullopt, "b"}, TimerSms{"clinic", {}, ""}}) {
    const auto back = DecodeTimerSms(EncodeTimerSms(timer).value);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, timer);
  }
}

TEST(TimerSms, NamesWhatIsWrong) {
  EXPECT_EQ(TimerRefusal(R"({"id":"abc"})"), "client: is missing; id: must be the id of an SMS");
  EXPECT_EQ(TimerRefusal(R"({"client":"c","id":7,"batch":[]})"), "id: must be a string; batch: must be a string");
  EXPECT_EQ(TimerRefusal("{\"client\":\"c\",\"batch\":\"b\",\"id\":\"" + InstanceId::Make(1, ShardId{0}, 1).ToString() +
                         "\"}"),
            "batch: must not be there beside id");
}

}  // namespace
}  // namespace smsflow::kafka
