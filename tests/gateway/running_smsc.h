// The simulator on a port of its own, in this process.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "tools/smsc/server.h"

namespace smsflow::gateway {

class RememberedTruth : public smsc::Truth {
 public:
  void Tell(const std::string& line) override {
    const std::lock_guard lock(mutex_);
    all_ += line;
    told_.notify_all();
  }
  std::string all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  int Count(std::string_view what) {
    const std::lock_guard lock(mutex_);
    return CountLocked(what);
  }
  // Once there are so many; how many there are.
  int Await(std::string_view what, int wanted) {
    std::unique_lock lock(mutex_);
    told_.wait_for(lock, std::chrono::seconds(60), [&] { return CountLocked(what) >= wanted; });
    return CountLocked(what);
  }

 private:
  int CountLocked(std::string_view what) const {
    int count = 0;
    for (std::size_t at = all_.find(what); at != std::string::npos; at = all_.find(what, at + 1)) ++count;
    return count;
  }
  std::mutex mutex_;
  std::condition_variable told_;
  std::string all_;
};

// A port on which nobody listens until a simulator does. It is bound here, so neither another program nor the far end
// of a connection gets it meanwhile.
class HeldPort {
 public:
  HeldPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    EXPECT_EQ(::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&own), size), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&own), &size), 0);
    port_ = ntohs(own.sin_port);
  }
  ~HeldPort() { ::close(socket_); }
  HeldPort(const HeldPort&) = delete;
  HeldPort& operator=(const HeldPort&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

// The simulator on a port of its own, for as long as this lives.
class RunningSmsc {
 public:
  explicit RunningSmsc(std::string_view toml, std::uint16_t port = 0, const std::string& cert_pem = "",
                       const std::string& key_pem = "") {
    const auto script = smsc::ReadScript(toml, "script");
    EXPECT_TRUE(script.ok()) << script.status();
    auto server =
        smsc::Listen({.host = "127.0.0.1", .port = port, .cert_pem = cert_pem, .key_pem = key_pem}, *script, truth);
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = std::move(*server);
    thread_ = std::thread([this] { server_->Run(600'000); });
  }
  ~RunningSmsc() {
    server_->Stop();
    thread_.join();
  }
  std::uint16_t port() const { return server_->port(); }

  RememberedTruth truth;

 private:
  std::unique_ptr<smsc::Server> server_;
  std::thread thread_;
};

}  // namespace smsflow::gateway
