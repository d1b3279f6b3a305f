#include "server/grpc/corks.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace smsflow::server {

namespace {

constexpr unsigned kMomentMs = 200;

// False: it is no TCP connection, or closed.
bool Cork(int connection, int on) { return ::setsockopt(connection, IPPROTO_TCP, TCP_CORK, &on, sizeof on) == 0; }

}  // namespace

std::string Corks::PeerOf(int connection) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::getpeername(connection, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  if (address.ss_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof four);
    ::inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
    return std::string("ipv4:") + text.data() + ":" + std::to_string(ntohs(four.sin_port));
  }
  if (address.ss_family != AF_INET6) return {};
  sockaddr_in6 six{};
  std::memcpy(&six, &address, sizeof six);
  const std::string port = std::to_string(ntohs(six.sin6_port));
  if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
    ::inet_ntop(AF_INET, six.sin6_addr.s6_addr + 12, text.data(), text.size());
    return std::string("ipv4:") + text.data() + ":" + port;
  }
  ::inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
  return std::string("ipv6:%5B") + text.data() + "%5D:" + port;
}

void Corks::Add(int connection) {
  std::string peer = PeerOf(connection);
  const std::lock_guard lock(mutex_);
  if (const auto before = peers_.find(connection); before != peers_.end()) {
    if (const auto it = connections_.find(before->second); it != connections_.end() && it->second == connection) {
      connections_.erase(it);
    }
    peers_.erase(before);
  }
  if (peer.empty()) return;
  connections_[peer] = connection;
  peers_[connection] = std::move(peer);
}

int Corks::ConnectionOf(const std::string& peer) const {
  const std::lock_guard lock(mutex_);
  const auto it = connections_.find(peer);
  return it == connections_.end() ? -1 : it->second;
}

bool Corks::IsSpeaking(const std::string& peer) const {
  tcp_info info{};
  socklen_t length = sizeof info;
  return ::getsockopt(ConnectionOf(peer), IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
         info.tcpi_last_data_recv < kMomentMs;
}

bool Corks::End(const std::string& peer) const {
  // A number of its own: the other may be closed, and stand for another connection, at any moment.
  const int connection = ::fcntl(ConnectionOf(peer), F_DUPFD_CLOEXEC, 0);
  if (connection < 0) return false;
  const bool there = PeerOf(connection) == peer;
  if (there) {
    // Connected to nobody, a socket resets its connection and forgets what came. One that was shut down is read to its
    // end before that is noticed.
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    if (::connect(connection, &nobody, sizeof nobody) != 0) ::shutdown(connection, SHUT_RDWR);
  }
  ::close(connection);
  return there;
}

void Corks::Hold(const std::string& peer) {
  const int connection = ConnectionOf(peer);
  if (connection < 0) return;
  if (std::find(held_.begin(), held_.end(), connection) != held_.end()) return;
  if (Cork(connection, 1)) held_.push_back(connection);
}

void Corks::Release() {
  for (const int connection : held_) Cork(connection, 0);
  held_.clear();
}

}  // namespace smsflow::server
