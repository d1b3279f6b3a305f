// Times, errors and SMSes as the old contract writes them.
#include "server/rest/old_forms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/rest/response_text.h"

namespace smsflow::server::rest {
namespace {

TEST(OldFormsTest, TimesAreCutToSecondsInAnOffset) {
  EXPECT_EQ(OldTime(4'000'000'000'999, 0), "2096-10-02T07:06:40Z");
  EXPECT_EQ(OldTime(4'000'000'000'000, 180), "2096-10-02T10:06:40+03:00");
  EXPECT_EQ(OldTime(4'000'000'000'000, -570), "2096-10-01T21:36:40-09:30");
  EXPECT_EQ(OldTime(-1, 0), "1969-12-31T23:59:59Z");
  EXPECT_EQ(OldTime(951'782'400'000, 0), "2000-02-29T00:00:00Z");
}

TEST(OldFormsTest, WhatIsEmptyIsNullAndDeadlineIsInUtc) {
  OldSms sms;
  sms.id = "i";
  sms.tenant = "a\"b";
  sms.status = "NEW";
  sms.retries = -1;
  std::string out;
  AppendJson(sms, 180, out);
  EXPECT_EQ(out, R"({"id":"i","client":"a\"b","batch":null,"key":null,"target":null,"status":"NEW","due":null,)"
                 R"("deadline":null,"started":null,"ended":null,"retries":-1,"user":null})");
  sms.batch = "b";
  sms.due_ms = sms.deadline_ms = sms.started_ms = sms.ended_ms = 1'000;
  sms.user = "u";
  out.clear();
  AppendJson(sms, 180, out);
  EXPECT_EQ(out,
            R"({"id":"i","client":"a\"b","batch":"b","key":null,"target":null,"status":"NEW",)"
            R"("due":"1970-01-01T03:00:01+03:00","deadline":"1970-01-01T00:00:01Z",)"
            R"("started":"1970-01-01T03:00:01+03:00","ended":"1970-01-01T03:00:01+03:00","retries":-1,"user":"u"})");
}

TEST(OldFormsTest, AnErrorIsJson) {
  Response response = Response::Error(400, "");
  ShowOldError({400, "say \"x\"\n", "/a\\b", 1'700'000'000'007}, response);
  EXPECT_EQ(response.type, "application/json");
  EXPECT_EQ(response.body, R"({"timestamp":"2023-11-14T22:13:20.007+00:00","status":400,"error":"Bad Request",)"
                           R"("message":"say \"x\"\u000a","path":"/a\\b"})");
}

TEST(OldFormsTest, ABodyThatIsNoObjectHearsOfThatAlone) {
  OldRequest request;
  EXPECT_EQ(ReadOldRequest("[]", request).message(), "body: must be one JSON object");
  EXPECT_EQ(ReadOldRequest("", request).message(), "body: must not be empty");
  EXPECT_EQ(ReadOldRequest("{}", request).message(), "schedule: is missing; payload: is missing");
}

TEST(ResponseTextTest, NothingThatIsShownBeginsAnotherHeader) {
  Response response = Response::Text("body");
  response.headers.push_back({"Allow", "GET\r\nSet-Cookie: a"});
  std::string head;
  AppendHead(response, {"now", true, false, false}, head);
  EXPECT_THAT(head,
              ::testing::StartsWith("HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: text/plain;charset=UTF-8\r\n"));
  EXPECT_THAT(head, ::testing::HasSubstr("Allow: GET  Set-Cookie: a\r\n"));
  EXPECT_THAT(head, ::testing::EndsWith("Content-Length: 4\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(ChunkOf("hello, you all: 0"), "11\r\nhello, you all: 0\r\n");
  EXPECT_EQ(ChunkOf(""), "0\r\n\r\n");
}

}  // namespace
}  // namespace smsflow::server::rest
