#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tools/flowable/java_text.h"
#include "tools/flowable/judge.h"
#include "tools/flowable/postgres.h"

namespace smsflow::flowable {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kNow = 1'800'000'000;

Variable Text(const std::string& text) { return {"string", text, std::nullopt, std::nullopt, false}; }

// One that waits for its slot.
OldInstance Waiting() {
  OldInstance sms{"0a1b", {}, {"schedulerTimer", "recvCancel"}, false};
  sms.variables = {{"clientId", {Text("demo")}},
                   {"batchId", {{"null", {}, {}, {}, false}}},
                   {"clientKey", {Text("visit-17")}},
                   {"schedule", {Text("1800000000-1800000600")}},
                   {"payload", {Text("ENCB")}},
                   {"smsStatus", {Text("SCHEDULED")}},
                   {"smsRetries", {{"integer", "3", 3, {}, false}}}};
  return sms;
}

std::string JavaBytes(const std::string& text, char kind = 0x74) {
  std::string bytes("\xAC\xED\x00\x05", 4);
  bytes += kind;
  for (int shift = kind == 0x74 ? 8 : 56; shift >= 0; shift -= 8)
    bytes += static_cast<char>(text.size() >> shift & 0xFF);
  return bytes + text;
}

TEST(Judge, TakesOverWhatWaitsForItsSlotAsItIs) {
  const OldSms sms = Judge(Waiting(), kNow, false);
  EXPECT_EQ(sms.standing, Standing::kPending) << sms.reason;
  EXPECT_EQ(sms.id, "0a1b");
  EXPECT_EQ(sms.tenant, "demo");
  EXPECT_EQ(sms.batch, "");
  EXPECT_EQ(sms.key, "visit-17");
  EXPECT_EQ(sms.target, "");
  EXPECT_EQ(sms.schedule, "1800000000-1800000600");
  EXPECT_EQ(sms.payload, "ENCB");
  EXPECT_EQ(sms.retries, 3);
}

TEST(Judge, WhereItWaitsIsWhatCounts) {
  OldInstance sms = Waiting();
  sms.variables.erase("smsRetries");
  sms.variables["targetId"] = {{"string", {}, {}, {}, false}};
  for (const char* const status : {"SCHEDULED", "NEW", "FAILED"}) {
    sms.variables["smsStatus"] = {Text(status)};
    EXPECT_EQ(Judge(sms, kNow, false).standing, Standing::kPending) << status;
  }
  sms.variables.erase("smsStatus");
  EXPECT_EQ(Judge(sms, kNow, false).standing, Standing::kPending);
}

TEST(Judge, ASlotIsOverWhenItsEndIsReached) {
  EXPECT_EQ(Judge(Waiting(), kNow + 599, false).standing, Standing::kPending);
  EXPECT_EQ(Judge(Waiting(), kNow + 600, false).standing, Standing::kPast);
}

TEST(Judge, LeavesBehindWhatWasHandedOver) {
  OldInstance sms = Waiting();
  for (const char* const place : {"sendTask", "sendTimeout"}) {
    sms.places = {place};
    for (const char* const status : {"SCHEDULED", "ENROUTE", "SENT", "FAILED"}) {
      sms.variables["smsStatus"] = {Text(status)};
      EXPECT_EQ(Judge(sms, kNow, true).standing, Standing::kInFlight) << place << " " << status;
    }
  }
  sms.places = {"somewhere"};
  for (const char* const status : {"ENROUTE", "SENT"}) {
    sms.variables["smsStatus"] = {Text(status)};
    EXPECT_EQ(Judge(sms, kNow, true).standing, Standing::kInFlight) << status;
  }
}

TEST(Judge, WhatWasBeingFiredIsTakenOnWishAlone) {
  OldInstance sms = Waiting();
  sms.being_fired = true;
  EXPECT_EQ(Judge(sms, kNow, false).standing, Standing::kInFlight);
  EXPECT_EQ(Judge(sms, kNow, true).standing, Standing::kPending);
}

TEST(Judge, GuessesNothing) {
  const auto reason_of = [](auto change) {
    OldInstance sms = Waiting();
    change(sms);
    const OldSms judged = Judge(sms, kNow, true);
    EXPECT_EQ(judged.standing, Standing::kUnreadable);
    return judged.reason;
  };
  EXPECT_EQ(reason_of([](auto& sms) { sms.variables.erase("clientId"); }), "clientId: is missing");
  EXPECT_EQ(reason_of([](auto& sms) { sms.variables.erase("payload"); }), "payload: is missing");
  EXPECT_EQ(reason_of([](auto& sms) { sms.variables.erase("schedule"); }), "schedule: is missing");
  for (const char* const status : {"ENROUTE", "SENT", "DELIVERED", "EXPIRED", "CANCELED", "BLOCKED", "INVALID"})
    EXPECT_THAT(reason_of([&](auto& sms) { sms.variables["smsStatus"] = {Text(status)}; }),
                HasSubstr("it waits for its slot, and has left or ended"));
  EXPECT_THAT(reason_of([](auto& sms) { sms.places.insert("sendTask"); }), HasSubstr("at once"));
  EXPECT_THAT(reason_of([](auto& sms) { sms.places = {"recvCancel"}; }), HasSubstr("for no slot"));
  EXPECT_EQ(reason_of([](auto& sms) { sms.places.clear(); }), "it waits at a place that is not known");
  EXPECT_EQ(reason_of([](auto& sms) {
              sms.places.clear();
              sms.variables["smsStatus"] = {Text("DELIVERED")};
            }),
            "smsStatus: it has ended, but is still there");
  EXPECT_EQ(reason_of([](auto& sms) { sms.variables["payload"].push_back(Text("y")); }),
            "payload: stands there more than once");
  EXPECT_EQ(reason_of([](auto& sms) {
              sms.variables["batchId"] = {{"integer", {}, 7, {}, false}};
            }),
            "batchId: is no text that can be read (type integer)");
  EXPECT_EQ(reason_of([](auto& sms) {
              sms.variables["batchId"] = {{"Geheimnis 4711", {}, 7, {}, false}};
            }),
            "batchId: is no text that can be read (type unknown)");
  EXPECT_EQ(reason_of([](auto& sms) { sms.variables["targetId"] = {Text("\xFF")}; }),
            "targetId: is no text that can be read (type string)");
  EXPECT_EQ(reason_of([](auto& sms) { sms.variables["smsRetries"] = {Text("3")}; }),
            "smsRetries: is no whole number (type string)");
  EXPECT_EQ(reason_of([](auto& sms) {
              sms.variables["payload"] = {{"longString", {}, {}, {}, true}};
            }),
            "payload: is longer than any SMS has it");
  EXPECT_THAT(reason_of([](auto& sms) { sms.variables["schedule"] = {Text("10-20;;30-40")}; }),
              HasSubstr("schedule: slot 2"));
}

TEST(JavaText, IsReadInBothLengthsAndAsPlainBytes) {
  EXPECT_EQ(DecodeJavaText(JavaBytes("ENCB+/=")), "ENCB+/=");
  EXPECT_EQ(DecodeJavaText(JavaBytes("ENCB", 0x7C)), "ENCB");
  EXPECT_EQ(DecodeJavaText("ENCB, said plainly: \xC3\xBC"), "ENCB, said plainly: \xC3\xBC");
  EXPECT_EQ(DecodeJavaText(""), "");
  // Java's NUL, and a character of two surrogates.
  EXPECT_EQ(DecodeJavaText(JavaBytes("a\xC0\x80z")), std::string("a\0z", 3));
  EXPECT_EQ(DecodeJavaText(JavaBytes("\xED\xA0\xBD\xED\xB8\x80")), "\xF0\x9F\x98\x80");
}

TEST(JavaText, OfAnotherShapeIsNone) {
  const std::string good = JavaBytes("ENCB");
  for (std::size_t size = 4; size < good.size(); ++size)
    EXPECT_EQ(DecodeJavaText(good.substr(0, size)), std::nullopt) << size;
  EXPECT_EQ(DecodeJavaText(good + "x"), std::nullopt) << "something stands behind it";
  EXPECT_EQ(DecodeJavaText(JavaBytes("ENCB", 0x73)), std::nullopt) << "an object";
  EXPECT_EQ(DecodeJavaText(JavaBytes("\xED\xA0\xBD")), std::nullopt) << "half a character";
  EXPECT_EQ(DecodeJavaText("\xFF\xFE"), std::nullopt) << "neither";
}

TEST(Postgres, PlaintextStaysOnThisMachine) {
  for (const char* const host : {"", "/run/postgresql", "@abstract", "localhost", "127.0.0.1", "127.8.9.1", "::1"})
    EXPECT_TRUE(IsLocalHost(host)) << host;
  for (const char* const host : {"db", "10.0.0.1", "128.0.0.1", "127.evil.example", "::2", "localhost.example"})
    EXPECT_FALSE(IsLocalHost(host)) << host;
}

TEST(Postgres, AListIsQuoted) {
  EXPECT_EQ(ArrayText({}), "{}");
  EXPECT_EQ(ArrayText({"a", "b\"c\\", ""}), R"({"a","b\"c\\",""})");
}

}  // namespace
}  // namespace smsflow::flowable
