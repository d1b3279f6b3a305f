// What a peer can do with HTTP/2 itself, before there is a call or beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/server/http2_client.h"
#include "tests/server/site.h"

namespace smsflow::server {
namespace {

constexpr char kSchedule[] = "/smsflow.v1.Scheduler/Schedule";
constexpr std::uint8_t kWholeHead = Http2Frame::kEndHeaders;

// Of this process, in which both ends are.
[[maybe_unused]] std::size_t HeldBytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0, held = 0;
  file >> all >> held;
  return held * 4'096;
}

Http2Frame Head(std::uint32_t stream, const std::string& head, std::uint8_t flags = kWholeHead) {
  return {Http2Frame::kHeaders, flags, stream, head};
}

// What comes of this stream first: its answer, or that it was reset. False: the connection ended.
bool IsAnswered(Http2Client& client, std::uint32_t stream) {
  while (const auto frame = client.Next()) {
    if (frame->stream == stream && (frame->type == Http2Frame::kHeaders || frame->type == Http2Frame::kReset))
      return true;
  }
  return false;
}

TEST(Http2Test, MetadataThatAreTooLargeEndTheirConnection) {
  Site site;
  Http2Client client(site.server->address());
  ASSERT_TRUE(client.Greet());
  const std::string large = Http2CallHead(kSchedule) + Http2Header("authorization", std::string("Bearer ") + kAcme) +
                            Http2Header("x", std::string(9'000, 'x'));
  ASSERT_TRUE(client.Say(Head(1, large)));
  std::string answer;
  while (const auto frame = client.Next()) answer += frame->body;
  EXPECT_THAT(answer, testing::HasSubstr("received initial metadata size exceeds limit"));
  EXPECT_TRUE(client.IsClosed());
  EXPECT_FALSE(site.Schedule(site.Sms()).empty());
}

// One whose heads break a rule: it is told, or its connection ends, and nobody else notices.
TEST(Http2Test, AHeadThatBreaksARuleHarmsNobody) {
  Site site;
  const std::string known = Http2Header("authorization", std::string("Bearer ") + kAcme);
  const std::string plain = Http2Header(":method", "POST") + Http2Header(":scheme", "http") +
                            Http2Header(":path", kSchedule) + Http2Header(":authority", "localhost");
  const std::string type = Http2Header("content-type", "application/grpc");
  const std::string te = Http2Header("te", "trailers");
  for (const std::string& head :
       {plain + type + Http2Header("te", "x"), plain + type, plain + te + Http2Header("content-type", "text/plain"),
        Http2CallHead(kSchedule, "gopher"), Http2CallHead(""), Http2CallHead("/"), Http2CallHead(kSchedule) + te,
        type + te, Http2CallHead(kSchedule) + Http2Header("X", "upper"), std::string(100, '\xff')}) {
    Http2Client client(site.server->address());
    ASSERT_TRUE(client.Greet());
    ASSERT_TRUE(client.Say(Head(1, head + known, kWholeHead | Http2Frame::kEndStream)));
    EXPECT_TRUE(IsAnswered(client, 1) || client.IsClosed()) << head;
    EXPECT_FALSE(site.Schedule(site.Sms()).empty()) << head;
  }
}

// Nothing that is less than a connection lasts.
TEST(Http2Test, HalfAPrefaceIsNotWaitedFor) {
  Site site;
  Http2Client silent(site.server->address());
  Http2Client half(site.server->address());
  ASSERT_TRUE(half.Say(Http2Client::kPreface.substr(0, 10)));
  Http2Client without_settings(site.server->address());
  ASSERT_TRUE(without_settings.Say(Http2Client::kPreface));
  EXPECT_FALSE(half.IsClosed(5'000)) << "it has its time";
  EXPECT_TRUE(half.IsClosed());
  EXPECT_TRUE(silent.IsClosed());
  EXPECT_TRUE(without_settings.IsClosed());
  Http2Client other(site.server->address());
  ASSERT_TRUE(other.Say("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  EXPECT_TRUE(other.IsClosed(5'000)) << "who speaks another protocol is told at once";
  EXPECT_FALSE(site.Schedule(site.Sms()).empty());
}

// Begun and given up at once, so that streams_per_connection never bounds it.
TEST(Http2Test, AFloodOfStreamsThatAreResetStopsNobody) {
  Site site;
  constexpr std::uint32_t kStreams = 20'000;
  const std::string head = Http2CallHead(kSchedule);
  const std::string reset("\0\0\0\x08", 4);  // CANCEL
  Http2Client client(site.server->address());
  ASSERT_TRUE(client.Greet());
  std::string burst;
  for (std::uint32_t said = 0; said < kStreams; ++said) {
    const std::uint32_t stream = 2 * said + 1;
    burst += Head(stream, head).ToBytes() + Http2Frame{Http2Frame::kReset, 0, stream, reset}.ToBytes();
    if (said % 100 != 99) continue;
    if (!client.Say(burst)) break;  // it may be sent away for it
    burst.clear();
    client.Forget();
    if (said % 5'000 == 99) {
      EXPECT_FALSE(site.Schedule(site.Sms()).empty()) << said;
    }
  }
  EXPECT_FALSE(site.Schedule(site.Sms()).empty());
}

// All that there may be at once, and as many again: a client whose deadline is short, or who stops.
TEST(Http2Test, WhoGivesUpManyCallsIsServedOn) {
  Site site;
  Http2Client client(site.server->address());
  ASSERT_TRUE(client.Greet());
  const std::string head = Http2CallHead(kSchedule);
  std::uint32_t stream = 1;
  for (int round = 0; round < 5; ++round) {
    std::string burst;
    for (int i = 0; i < 2'000; ++i, stream += 2) {
      burst += Head(stream, head).ToBytes();
      burst += Http2Frame{Http2Frame::kReset, 0, stream, std::string("\0\0\0\x08", 4)}.ToBytes();
    }
    ASSERT_TRUE(client.Say(burst)) << round;
    ASSERT_TRUE(client.Say(Head(stream, head))) << round;
    EXPECT_TRUE(IsAnswered(client, stream)) << round;
    stream += 2;
  }
  EXPECT_TRUE(client.IsHeard());
}

// A head that never ends, in pieces of which each is allowed.
TEST(Http2Test, AHeadWithoutAnEndEndsItsConnection) {
  Site site;
  constexpr std::size_t kPieces = 4'000;  // of 16 KB
  Http2Client client(site.server->address());
  ASSERT_TRUE(client.Greet());
  [[maybe_unused]] const std::size_t before = HeldBytes();
  ASSERT_TRUE(client.Say(Head(1, Http2CallHead(kSchedule), 0)));
  const std::string piece = Http2Header("x", std::string(16'000, 'x'));
  constexpr std::uint8_t kContinuation = 9;
  std::size_t said = 0;
  while (said < kPieces && client.Say(Http2Frame{kContinuation, 0, 1, piece})) {
    ++said;
    client.Forget();
    if (said % 1'000 == 0) {
      EXPECT_FALSE(site.Schedule(site.Sms()).empty()) << said;
    }
  }
  EXPECT_LT(said, kPieces) << "the connection goes on";
  EXPECT_FALSE(site.Schedule(site.Sms()).empty());
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which keep what is freed
  EXPECT_LT(HeldBytes(), before + (32 << 20)) << said;
#endif
}

}  // namespace
}  // namespace smsflow::server
