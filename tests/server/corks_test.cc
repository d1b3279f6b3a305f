#include "server/grpc/corks.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

namespace smsflow::server {
namespace {

// Both ends of a connection over the loopback.
class Connection {
 public:
  explicit Connection(int family = AF_INET) {
    const int listener = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage address{};
    address.ss_family = static_cast<sa_family_t>(family);
    if (family == AF_INET) {
      reinterpret_cast<sockaddr_in*>(&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
      reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr = in6addr_loopback;
    }
    socklen_t length = sizeof address;
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener, name, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)), 0);
    EXPECT_EQ(::listen(listener, 1), 0);
    EXPECT_EQ(::getsockname(listener, name, &length), 0);
    client = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(client, name, length), 0);
    server = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    EXPECT_GE(server, 0);
    ::close(listener);
    EXPECT_EQ(::getsockname(client, name, &length), 0);
    port = std::to_string(ntohs(family == AF_INET ? reinterpret_cast<sockaddr_in*>(&address)->sin_port
                                                  : reinterpret_cast<sockaddr_in6*>(&address)->sin6_port));
  }
  ~Connection() {
    ::close(client);
    ::close(server);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int client = -1;
  int server = -1;
  std::string port;  // the client's
};

bool IsHeld(int connection) {
  int on = 0;
  socklen_t length = sizeof on;
  EXPECT_EQ(::getsockopt(connection, IPPROTO_TCP, TCP_CORK, &on, &length), 0);
  return on != 0;
}

TEST(CorksTest, HoldTheConnectionOfThatPeerUntilReleased) {
  const Connection one, other;
  Corks corks;
  corks.Add(one.server);
  corks.Add(other.server);
  for (int i = 0; i < 2; ++i) {
    corks.Hold("ipv4:127.0.0.1:" + one.port);
    corks.Hold("ipv4:127.0.0.1:" + one.port);
    EXPECT_TRUE(IsHeld(one.server));
    EXPECT_FALSE(IsHeld(other.server));
    corks.Release();
    EXPECT_FALSE(IsHeld(one.server));
  }
}

TEST(CorksTest, WhatIsHeldComesAfterTheRelease) {
  const Connection connection;
  Corks corks;
  corks.Add(connection.server);
  corks.Hold(Corks::PeerOf(connection.server));
  ASSERT_EQ(::send(connection.server, "a", 1, 0), 1);
  ASSERT_EQ(::send(connection.server, "b", 1, 0), 1);
  corks.Release();
  std::array<char, 2> came{};
  ASSERT_EQ(::recv(connection.client, came.data(), came.size(), MSG_WAITALL), 2);
  EXPECT_EQ(std::string(came.data(), 2), "ab");
}

TEST(CorksTest, WhoseConnectionIsEndedIsNotReadAnyMore) {
  const Connection connection;
  const std::string peer = "ipv4:127.0.0.1:" + connection.port;
  Corks corks;
  EXPECT_FALSE(corks.IsSpeaking(peer));
  EXPECT_FALSE(corks.End(peer)) << "it is not known";
  corks.Add(connection.server);
  ASSERT_EQ(::send(connection.client, "a", 1, 0), 1);
  EXPECT_TRUE(corks.IsSpeaking(peer));
  EXPECT_TRUE(corks.End(peer));
  char byte = 0;
  EXPECT_EQ(::recv(connection.server, &byte, 1, MSG_DONTWAIT), -1);
  EXPECT_NE(errno, EAGAIN);
  EXPECT_EQ(::recv(connection.client, &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
  EXPECT_FALSE(corks.End(peer)) << "it is gone already";
}

TEST(CorksTest, NoOtherConnectionOfTheSameNumberIsEnded) {
  const Connection old, fresh;
  Corks corks;
  corks.Add(old.server);
  ASSERT_EQ(::dup2(fresh.server, old.server), old.server);
  EXPECT_FALSE(corks.End("ipv4:127.0.0.1:" + old.port));
  ASSERT_EQ(::send(fresh.client, "a", 1, 0), 1);
  char byte = 0;
  EXPECT_EQ(::recv(fresh.server, &byte, 1, 0), 1);
}

TEST(CorksTest, ANumberThatWasUsedBeforeStandsForTheNewConnection) {
  const Connection old, fresh;
  Corks corks;
  corks.Add(old.server);
  ASSERT_EQ(::dup2(fresh.server, old.server), old.server);
  corks.Add(old.server);
  corks.Hold("ipv4:127.0.0.1:" + old.port);
  EXPECT_FALSE(IsHeld(old.server));
  corks.Hold("ipv4:127.0.0.1:" + fresh.port);
  EXPECT_TRUE(IsHeld(old.server));
}

TEST(CorksTest, KnowTheOtherFamiliesAndLeaveWhatIsNotTcpAlone) {
  const Connection six(AF_INET6);
  EXPECT_EQ(Corks::PeerOf(six.server), "ipv6:%5B::1%5D:" + six.port);
  std::array<int, 2> unix_pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, unix_pair.data()), 0);
  EXPECT_EQ(Corks::PeerOf(unix_pair[0]), "");
  EXPECT_EQ(Corks::PeerOf(-1), "");
  Corks corks;
  corks.Add(unix_pair[0]);
  corks.Hold("");
  corks.Hold("ipv4:127.0.0.1:1");
  corks.Release();
  for (const int end : unix_pair) ::close(end);
}

}  // namespace
}  // namespace smsflow::server
