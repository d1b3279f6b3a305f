#include "tests/gateway/deaf_relay.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace smsflow::gateway {
namespace {

constexpr int kLookMs = 20;

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

int Listen(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(path);
  EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(fd, 16), 0);
  return fd;
}

}  // namespace

DeafRelay::DeafRelay(const std::string& from, std::string to)
    : to_(std::move(to)), listener_(Listen(from)), thread_([this] { Loop(); }) {}

DeafRelay::~DeafRelay() {
  stopping_ = true;
  thread_.join();
  close(listener_);
  for (const Way& way : ways_) {
    for (const int end : way.ends) close(end);
  }
}

void DeafRelay::Loop() {
  while (!stopping_) {
    std::vector<pollfd> polled{{listener_, POLLIN, 0}};
    for (const Way& way : ways_) {
      for (const int end : way.ends) polled.push_back({way.deaf ? -1 : end, POLLIN, 0});
    }
    poll(polled.data(), polled.size(), kLookMs);
    if (goes_deaf_.exchange(false)) {
      for (Way& way : ways_) way.deaf = true;
    }
    for (std::size_t i = 0; i < ways_.size(); ++i) {
      for (const std::size_t end : {0U, 1U}) {
        Way& way = ways_[i];
        if (way.deaf || polled[1 + 2 * i + end].revents == 0) continue;
        way.deaf = !Carry(way.ends[end], way.ends[1 - end]);
        if (!way.deaf) continue;
        for (const int ended : way.ends) shutdown(ended, SHUT_RDWR);
      }
    }
    if (polled[0].revents != 0) Accept();
  }
}

void DeafRelay::Accept() {
  const int in = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  const int out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(to_);
  EXPECT_EQ(connect(out, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ways_.push_back({{in, out}});
}

bool DeafRelay::Carry(int from, int to) {
  std::array<char, 16384> bytes;
  const ssize_t read = recv(from, bytes.data(), bytes.size(), 0);
  return read > 0 && send(to, bytes.data(), static_cast<std::size_t>(read), MSG_NOSIGNAL) == read;
}

}  // namespace smsflow::gateway
