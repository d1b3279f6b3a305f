// Which handler a path finds, and which paths are none.
#include "server/rest/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smsflow::server::rest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RouterTest : public ::testing::Test {
 protected:
  // Its handler answers with its name.
  void Add(Method method, const std::string& pattern) {
    router.Add(method, pattern, [name = std::string(NameOf(method)) + " " + pattern](Request, Reply reply) {
      reply(Response::Text(name));
    });
  }
  // The name of what was found, or the status.
  std::string Found(Method method, std::string_view path) {
    const Router::Found found = router.Find(method, path);
    arguments = found.arguments;
    allow = found.allow;
    if (found.handler == nullptr) return std::to_string(found.status);
    std::string name;
    (*found.handler)({}, [&](Response response) { name = response.body; });
    return name;
  }

  Router router;
  std::vector<std::string> arguments;
  std::string allow;
};

TEST_F(RouterTest, AVariableSegmentIsDecodedAndNotEmpty) {
  Add(Method::kGet, "/block/{client}/{target}");
  EXPECT_EQ(Found(Method::kGet, "/block/acme/a%20b%c3%a9+c"), "GET /block/{client}/{target}");
  EXPECT_THAT(arguments, ElementsAre("acme", "a b\u00e9+c"));
  EXPECT_EQ(Found(Method::kGet, "/block/acme/"), "404");
  EXPECT_EQ(Found(Method::kGet, "/block/acme"), "404");
  EXPECT_EQ(Found(Method::kGet, "/block//t"), "404");
  EXPECT_EQ(Found(Method::kGet, "/block/acme/t/"), "404");
}

TEST_F(RouterTest, TheEarlierLiteralWins) {
  Add(Method::kGet, "/a/{x}/{y}");
  Add(Method::kGet, "/a/{x}/c");
  Add(Method::kGet, "/a/b/{y}");
  EXPECT_EQ(Found(Method::kGet, "/a/b/c"), "GET /a/b/{y}");
  EXPECT_EQ(Found(Method::kGet, "/a/x/c"), "GET /a/{x}/c");
  EXPECT_EQ(Found(Method::kGet, "/a/x/y"), "GET /a/{x}/{y}");
}

TEST_F(RouterTest, ATrailingSlashMakesAnotherPath) {
  Add(Method::kGet, "/iam");
  EXPECT_EQ(Found(Method::kGet, "/iam/"), "404");
  Add(Method::kGet, "/iam/");
  EXPECT_EQ(Found(Method::kGet, "/iam/"), "GET /iam/");
  EXPECT_EQ(Found(Method::kGet, "/iam"), "GET /iam");
}

TEST_F(RouterTest, HeadIsFoundWhereGetIsAndOtherMethodsAreTold) {
  Add(Method::kPost, "/schedule/{client}");
  Add(Method::kGet, "/schedule/{client}");
  EXPECT_EQ(Found(Method::kHead, "/schedule/x"), "GET /schedule/{client}");
  EXPECT_EQ(Found(Method::kPut, "/schedule/x"), "405");
  EXPECT_EQ(allow, "POST, GET");
  EXPECT_EQ(Found(Method::kOther, "/schedule/x"), "405");
  EXPECT_EQ(Found(Method::kOptions, "/schedule/x"), "200");
  EXPECT_EQ(allow, "POST, GET");
}

TEST_F(RouterTest, WhatIsNoPathIsRefused) {
  Add(Method::kGet, "/block/{client}/{target}");
  for (const char* path : {"", "block/a/b", "*", "/block/../b", "/block/%2e%2E/b", "/block/a/%2f", "/block/a/%5C",
                           "/block/a/%00", "/block/a/%0a", "/block/a/%", "/block/a/%4", "/block/a/%zz", "/block/a/%ff",
                           "/block/a/%c0%af", "/block/a/%ed%a0%80"}) {
    EXPECT_EQ(Found(Method::kGet, path), "400") << path;
  }
}

TEST_F(RouterTest, TheLongestPrefixNamesTheFormOfErrors) {
  for (const char* prefix : {"/", "/api/v1/"}) {
    router.AddErrorForm(prefix, [prefix](const Problem&, Response& response) { response.type = prefix; });
  }
  const auto form = [&](std::string_view path) {
    Response response;
    router.ErrorFormOf(path)({}, response);
    return response.type;
  };
  EXPECT_EQ(form("/api/v1/x"), "/api/v1/");
  EXPECT_EQ(form("/api/v2/x"), "/");
  EXPECT_EQ(form("no path"), "/");
}

TEST_F(RouterTest, WhatMayBlockRunsOnItsWorkers) {
  Workers workers(1, 10);
  router.AddBlocking(Method::kGet, "/{x}", workers,
                     [](const Request& request) { return Response::Text(request.arguments[0]); });
  const Router::Found found = router.Find(Method::kGet, "/seen");
  Request request;
  request.arguments = found.arguments;
  std::string body;
  (*found.handler)(std::move(request), [&](Response response) { body = response.body; });
  workers.Stop();
  EXPECT_EQ(body, "seen");
  int status = 0;
  (*found.handler)({}, [&](Response response) { status = response.status; });
  EXPECT_EQ(status, 503);
}

TEST(RequestTest, TypeAndParameters) {
  Request request;
  request.headers = {{"content-type", "Application/JSON ; charset=utf-8"}};
  EXPECT_TRUE(request.IsOfType("application/json"));
  EXPECT_FALSE(request.IsOfType("text/plain"));
  request.query = "a&confirm=yes-i+am%20sure&twice=yes&tw%69ce=yes&%=x";
  EXPECT_EQ(request.Parameter("confirm"), "yes-i am sure");
  EXPECT_EQ(request.Parameter("twice"), std::nullopt);
  EXPECT_EQ(request.Parameter("a"), "");
  EXPECT_EQ(request.Parameter("b"), std::nullopt);
  EXPECT_THAT(request.header("none"), IsEmpty());
}

}  // namespace
}  // namespace smsflow::server::rest
