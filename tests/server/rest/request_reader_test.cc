// What is a request, what is none, and that it does not matter how its bytes come in pieces.
#include "server/rest/request_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace smsflow::server::rest {
namespace {

using State = RequestReader::State;

RequestLimits Small() { return {1'024, 8, 100}; }

// Gives all of it, `step` bytes more each time; what is left over is in `rest`.
State Give(RequestReader& reader, std::string bytes, std::size_t step, std::string* rest = nullptr) {
  std::string held;
  while (reader.state() != State::kWhole && reader.state() != State::kRefused) {
    held += bytes.substr(0, step);
    bytes.erase(0, std::min(step, bytes.size()));
    for (std::size_t taken = 1; taken > 0 || reader.state() == State::kBody;) {
      const State before = reader.state();
      taken = reader.Read(held);
      held.erase(0, taken);
      if (taken == 0 && reader.state() == before) break;
    }
    if (bytes.empty() && reader.state() != State::kWhole) break;
  }
  if (rest != nullptr) *rest = held + bytes;
  return reader.state();
}

std::string Refused(const std::string& bytes, RequestLimits limits = Small()) {
  RequestReader reader(limits);
  if (Give(reader, bytes, bytes.size()) != State::kRefused) return "taken";
  return std::to_string(reader.refusal().status) + " " + reader.refusal().error;
}

std::string Get(const std::string& headers, const std::string& line = "GET / HTTP/1.1") {
  return line + "\r\n" + headers + "\r\n";
}

TEST(RequestReaderTest, ARequestIsTheSameHoweverItComes) {
  const std::string one =
      "POST /a/b?x=1 HTTP/1.1\r\nHost: h\r\nAuthorization: Basic QQ==\r\nX-Twice: 1\r\ncontent-length: 5\r\n\r\nhello";
  const std::string two =
      "PUT http://h/c HTTP/1.1\r\nhost:h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nT: "
      "1\r\n\r\n";
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1'000}}) {
    RequestReader reader(Small());
    std::string rest;
    ASSERT_EQ(Give(reader, one + two, step, &rest), State::kWhole);
    EXPECT_EQ(reader.authorization(), "Basic QQ==");
    EXPECT_TRUE(reader.keep_alive());
    Request request = reader.Take();
    EXPECT_EQ(request.method, Method::kPost);
    EXPECT_EQ(request.path, "/a/b");
    EXPECT_EQ(request.query, "x=1");
    EXPECT_EQ(request.header("x-twice"), "1");
    EXPECT_EQ(request.header("authorization"), "");
    EXPECT_EQ(request.body, "hello");
    ASSERT_EQ(Give(reader, rest, step, &rest), State::kWhole) << reader.refusal().error;
    request = reader.Take();
    EXPECT_EQ(request.method, Method::kPut);
    EXPECT_EQ(request.path, "/c");
    EXPECT_EQ(request.body, "abcde");
    EXPECT_EQ(rest, "");
    EXPECT_EQ(reader.state(), State::kNothing);
  }
}

TEST(RequestReaderTest, WhatTwoReadersCouldTakeInTwoWaysIsRefused) {
  for (const auto& [headers, answer] : std::vector<std::pair<std::string, std::string>>{
           {"Host: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n", "400 content-length: must not be there twice"},
           {"Host: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n", "400 head: is malformed"},
           {"Host: h\r\nContent-Length: 1,1\r\n", "400 content-length: must be digits"},
           {"Host: h\r\nContent-Length: +1\r\n", "400 head: is malformed"},
           {"Host: h\r\nContent-Length: -1\r\n", "400 head: is malformed"},
           {"Host: h\r\nContent-Length: 0x10\r\n", "400 head: is malformed"},
           {"Host: h\r\nContent-Length: 99999999999999999999\r\n", "400 head: is malformed"},
           {"Host: h\r\nTransfer-Encoding: gzip\r\n", "501 transfer-encoding: must be chunked alone"},
           {"Host: h\r\nTransfer-Encoding: xchunked\r\n", "501 transfer-encoding: must be chunked alone"},
           {"Host: h\r\nTransfer-Encoding: chunked, chunked\r\n", "501 transfer-encoding: must be chunked alone"},
           {"Host: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "400 head: is malformed"},
           {"Host: h\r\nHost: i\r\n", "400 host: must be there once"},
           {"", "400 host: must be there once"},
           {"Host: h\r\nAuthorization: a\r\nAuthorization: b\r\n", "400 authorization: must not be there twice"},
           {"Host: h\r\nIdempotency-Key: a\r\nIdempotency-Key: a\r\n", "400 idempotency-key: must not be there twice"},
           {"Host: h\r\nSmsflow-Tenant: a\r\nX: y\r\nSMSFLOW-TENANT: b\r\n",
            "400 smsflow-tenant: must not be there twice"},
           {"Host: h\r\nLast-Event-ID: a\r\nLast-Event-ID: b\r\n", "400 last-event-id: must not be there twice"},
           {"Host: h\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n", "400 content-type: must not be there twice"},
           {"Host: h\r\nExpect: the unexpected\r\n", "417 expect: must be 100-continue"},
           {"Host: h\r\nContent-Encoding: gzip\r\n", "415 content-encoding: a body must not be packed"}}) {
    EXPECT_EQ(Refused(Get(headers)), answer) << headers;
  }
  // Which of the two is said first is the parser's.
  for (const char* both :
       {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"}) {
    EXPECT_THAT(Refused(Get("Host: h\r\n" + std::string(both))), ::testing::StartsWith("400 ")) << both;
  }
  EXPECT_EQ(Refused(Get("Transfer-Encoding: chunked\r\n", "GET / HTTP/1.0")),
            "400 transfer-encoding: is not for HTTP/1.0");
}

TEST(RequestReaderTest, LinesHaveOneForm) {
  const std::string line = "400 head: each line must be NAME: VALUE, unfolded, without white space before the colon";
  const std::string first = "400 head: must begin with METHOD PATH VERSION";
  const std::string control = "400 head: must hold no control characters";
  for (const auto& [bytes, answer] : std::vector<std::pair<std::string, std::string>>{
           {Get("Host: h\r\n folded\r\n"), line},
           {Get("Host: h\r\n\tfolded\r\n"), line},
           {Get("Host : h\r\n"), line},
           {Get("Host\r\n"), line},
           {Get(": h\r\n"), line},
           {Get("H(st: h\r\n"), line},
           {Get("Host: h\nX: y\r\n"), control},
           {Get("Host: h\rX: y\r\n"), control},
           {Get("Host: " + std::string(1, '\0') + "\r\n"), control},
           {Get("Host: h\r\n", "GET /\x01 HTTP/1.1"), control},
           {Get("Host: h\r\n", "GET / HTTP/1.2"), "505 head: must be of HTTP/1.1 or HTTP/1.0"},
           {Get("Host: h\r\n", "GET / HTTP/2.0"), "505 head: must be of HTTP/1.1 or HTTP/1.0"},
           {Get("Host: h\r\n", "GET /"), first},
           {Get("Host: h\r\n", "GET  / HTTP/1.1"), first},
           {Get("Host: h\r\n", "GET / a HTTP/1.1"), first},
           {Get("Host: h\r\n", "/ HTTP/1.1"), first},
           {Get("Host: h\r\n", "GET /#x HTTP/1.1"), "400 path: must be percent-encoded, and without a fragment"},
           {Get("Host: h\r\n", "GET /\xc3\xa9 HTTP/1.1"), "400 path: must be percent-encoded, and without a fragment"},
           {"\r\n\r\n" + Get("Host: h\r\n"), "400 head: must begin with a request line"},
           {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15), control}}) {
    EXPECT_EQ(Refused(bytes), answer) << bytes;
  }
  EXPECT_EQ(Refused("\r\n" + Get("Host: h\r\n")), "taken");
}

TEST(RequestReaderTest, EverythingIsBounded) {
  const std::string too_long = "431 head: request line and headers are too long";
  EXPECT_EQ(Refused(Get("Host: h\r\nX: " + std::string(2'000, 'x') + "\r\n")), too_long);
  EXPECT_EQ(Refused("GET /" + std::string(2'000, 'x')), too_long);
  std::string many = "Host: h\r\n";
  for (int i = 0; i < 8; ++i) many += "X: y\r\n";
  EXPECT_EQ(Refused(Get(many)), "431 head: there are too many headers");
  EXPECT_EQ(Refused(Get("Host: h\r\nContent-Length: 101\r\n")), "413 body: is too long");
  const std::string chunked = Get("Host: h\r\nTransfer-Encoding: chunked\r\n");
  EXPECT_EQ(Refused(chunked + "65\r\n"), "413 body: is too long");
  std::string drops = chunked;
  for (int i = 0; i < 101; ++i) drops += "1\r\nx\r\n";
  EXPECT_EQ(Refused(drops), "413 body: is too long");
  EXPECT_EQ(Refused(chunked + "1;" + std::string(2'000, 'x')), "400 body: its chunks are malformed");
  EXPECT_EQ(Refused(chunked + "0\r\nX : y\r\n\r\n"), "400 body: its trailer is malformed");
  EXPECT_EQ(Refused(chunked + "0\r\nContent-Length: 1\r\n\r\n"), "400 body: its trailer is malformed");
  EXPECT_EQ(Refused(chunked + "0\r\n folded\r\n\r\n"), "400 body: its trailer is malformed");
  std::string trailer = chunked + "0\r\n";
  for (int i = 0; i < 300; ++i) trailer += "X: y\r\n";
  EXPECT_EQ(Refused(trailer), "431 body: its trailer is too long");
  for (const char* size : {"\r\n", " 1\r\n", "1 \r\n", "0x1\r\n", "-1\r\n", "+1\r\n", "1\n", ";x\r\n"}) {
    EXPECT_EQ(Refused(chunked + size + "x\r\n0\r\n\r\n"), "400 body: its chunks are malformed") << size;
  }
  EXPECT_EQ(Refused(chunked + "xyz\r\n"), "400 body: its chunks are malformed");
  EXPECT_EQ(Refused(chunked + "3\r\nabcd\r\n0\r\n\r\n"), "400 body: its chunks are malformed");
  EXPECT_EQ(Refused(chunked + "ffffffffffffffffff\r\n"), "400 body: its chunks are malformed");
}

TEST(RequestReaderTest, StayingAndWaitingAreToldApart) {
  RequestReader reader(Small());
  ASSERT_EQ(Give(reader, Get("Host: h\r\nConnection: close\r\n"), 1'000), State::kWhole);
  EXPECT_FALSE(reader.keep_alive());
  reader.Take();
  ASSERT_EQ(Give(reader, Get("", "GET / HTTP/1.0"), 1'000), State::kWhole);
  EXPECT_FALSE(reader.keep_alive());
  EXPECT_TRUE(reader.is_http_1_0());
  reader.Take();
  EXPECT_EQ(Give(reader, Get("Host: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n"), 1'000), State::kBody);
  EXPECT_TRUE(reader.awaits_continue());
  EXPECT_EQ(reader.length(), 2U);
  EXPECT_EQ(Give(reader, "ok", 1'000), State::kWhole);
  EXPECT_EQ(reader.Take().body, "ok");
}

}  // namespace
}  // namespace smsflow::server::rest
