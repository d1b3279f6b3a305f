// /schedule, /block and /actuator over a socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/rest/rest_site.h"

namespace smsflow::server::rest {
namespace {

using ::testing::HasSubstr;

constexpr char kFar[] = "4000000000-4000000600";

std::string Sms(const std::string& more = "", const std::string& schedule = kFar) {
  return "{" + more + "\"schedule\":\"" + schedule + "\",\"payload\":\"sealed\"}";
}

TEST(RestTest, AnSmsIsScheduledShownAndCancelled) {
  RestSite rest;
  const HttpAnswer made =
      rest.Ask("POST /schedule/acme", "u:pw", Sms("\"batch\":\"b1\",\"key\":\"k1\",\"target\":\"t1\","));
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.headers.at("content-type"), "application/json");
  EXPECT_EQ(Member(made.body, "status"), "SCHEDULED");
  EXPECT_EQ(Member(made.body, "due"), "2096-10-02T07:06:40Z");
  EXPECT_EQ(Member(made.body, "ended"), "null");
  const std::string id = Member(made.body, "id");
  const HttpAnswer shown = rest.Ask("GET /schedule/acme/by-id/" + id);
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.body, made.body);
  const HttpAnswer list = rest.Ask("GET /schedule/acme/by-batch/b1");
  EXPECT_EQ(list.body, "[" + made.body + "]");
  EXPECT_EQ(rest.Ask("DELETE /schedule/acme/by-id/" + id).status, 200);
  EXPECT_EQ(Member(rest.Ask("GET /schedule/acme/by-id/" + id).body, "status"), "CANCELED");
}

}  // namespace
}  // namespace smsflow::server::rest
