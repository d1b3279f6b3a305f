#include "server/grpc/reset_watch.h"

#include <gtest/gtest.h>

namespace smsflow::server {
namespace {

TEST(ResetWatchTest, ReadsWhatGrpcTells) {
  const auto sockets = SocketsIn(
      R"({"end":true,"socketRef":[{"name":"chttp2 ipv4:127.0.0.1:51426","socketId":"2"},{"name":"chttp2 unix:","socketId":"7"}]})");
  ASSERT_EQ(sockets.size(), 2u);
  EXPECT_EQ(sockets[0].id, 2);
  EXPECT_EQ(sockets[0].peer, "ipv4:127.0.0.1:51426");
  EXPECT_EQ(sockets[1].id, 7);
  EXPECT_EQ(sockets[1].peer, "unix:");
  EXPECT_EQ(StreamsIn(R"({"socket":{"data":{"streamsFailed":"58076","streamsStarted":"100000","streamsSucceeded":"4"},)"
                      R"("local":{"tcpip_address":{"ip_address":"fwAAAQ==","port":39951}},)"
                      R"("ref":{"name":"chttp2 ipv4:127.0.0.1:51426","socketId":"2"}}})"),
            100'000 - 58'076 - 4);
}

TEST(ResetWatchTest, WhatItCannotReadIsNobodysFault) {
  for (const char* text : {"", "{}", "[]", R"({"socket":{}})", R"({"socket":{"data":7}})", R"({"socketRef":{}})",
                           R"({"socket":{"data":{"streamsStarted":"many"}}})"}) {
    EXPECT_TRUE(SocketsIn(text).empty()) << text;
    EXPECT_EQ(StreamsIn(text), 0) << text;
  }
}

}  // namespace
}  // namespace smsflow::server
