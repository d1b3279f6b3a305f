// The listener of the gRPC door: bounds, shortage of file descriptors, and sockets that stopped hearing.
#include "server/grpc/listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <mutex>

#include "server/grpc/listening_sockets.h"

namespace smsflow::server {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

// Connects without waiting; the kernel answers before the listener takes it. All of 127.0.0.0/8 is this machine, so a
// client may be at any of it.
Descriptor Connect(const std::string& address, in_addr_t from = INADDR_LOOPBACK) {
  if (address.starts_with("unix:")) {
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    address.substr(5).copy(to.sun_path, sizeof to.sun_path - 1);
    return ::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 ? std::move(socket) : Descriptor();
  }
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address.substr(address.rfind(':') + 1).c_str())));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(from);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&own), sizeof own) != 0) return Descriptor();
  return ::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 ? std::move(socket) : Descriptor();
}

// Whether the other side closes it within the patience of the test.
bool IsClosed(const Descriptor& socket) {
  pollfd wait{socket.get(), POLLIN, 0};
  char byte = 0;
  return ::poll(&wait, 1, 20'000) == 1 && ::read(socket.get(), &byte, 1) <= 0;
}

class ListenerTest : public ::testing::Test {
 protected:
  void Open(const std::string& address, std::size_t most = 100, std::int64_t probe_every_ms = 60'000,
            std::size_t per_address = 0) {
    auto opened = Listener::Open({address, most, probe_every_ms, "gRPC", per_address});
    ASSERT_TRUE(opened.ok()) << opened.status();
    listener_ = *std::move(opened);
    listener_->Start([this](int, int connection) {
      const std::lock_guard lock(mutex_);
      taken_.emplace_back(connection);
      came_.notify_all();
    });
  }
  // A connection that was taken; it is the caller's.
  Descriptor Next() {
    std::unique_lock lock(mutex_);
    if (!came_.wait_for(lock, kPatience, [this] { return !taken_.empty(); })) return Descriptor();
    Descriptor first = std::move(taken_.front());
    taken_.pop_front();
    return first;
  }
  // Looks until the figures are so.
  template <class Holds>
  bool Await(Holds holds) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!holds(listener_->figures())) {
      if (std::chrono::steady_clock::now() > end) return false;
      ::poll(nullptr, 0, 1);
    }
    return true;
  }

  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Descriptor> taken_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, TakesWhoComes) {
  Open("127.0.0.1:0");
  EXPECT_TRUE(listener_->address().starts_with("127.0.0.1:"));
  EXPECT_NE(listener_->address(), "127.0.0.1:0");
  const Descriptor client = Connect(listener_->address());
  const Descriptor server = Next();
  ASSERT_TRUE(server.ok());
  EXPECT_EQ(::write(client.get(), "x", 1), 1);
  char byte = 0;
  pollfd wait{server.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 20'000), 1);
  EXPECT_EQ(::read(server.get(), &byte, 1), 1);
  listener_->Stop();
  EXPECT_FALSE(Connect(listener_->address()).ok());
}

TEST_F(ListenerTest, EveryAddressOfANameIsHeard) {
  Open("localhost:0");
  const Descriptor client = Connect(listener_->address());
  EXPECT_TRUE(Next().ok());
}

TEST_F(ListenerTest, BeyondTheBoundAClientIsToldAtOnceAndThereIsRoomAgain) {
  Open("127.0.0.1:0", 2);
  const Descriptor first = Connect(listener_->address());
  Descriptor taken = Next();
  const Descriptor second = Connect(listener_->address());
  const Descriptor kept = Next();
  ASSERT_TRUE(taken.ok() && kept.ok());
  EXPECT_TRUE(IsClosed(Connect(listener_->address())));
  EXPECT_EQ(listener_->figures().refused, 1u);
  EXPECT_EQ(listener_->figures().open, 2u);
  taken = Descriptor();
  // Room is looked for at most ten times a second.
  const auto end = std::chrono::steady_clock::now() + kPatience;
  const auto is_taken = [this] {
    const std::lock_guard lock(mutex_);
    return !taken_.empty();
  };
  while (!is_taken() && std::chrono::steady_clock::now() < end) {
    const Descriptor client = Connect(listener_->address());
    pollfd wait{client.get(), POLLIN, 0};
    ::poll(&wait, 1, 20);
  }
  EXPECT_TRUE(Next().ok());
}

TEST_F(ListenerTest, OneAddressDoesNotTakeTheConnectionsOfOthers) {
  Open("127.0.0.1:0", 100, 60'000, 1);
  const Descriptor greedy = Connect(listener_->address());
  Descriptor taken = Next();
  ASSERT_TRUE(taken.ok());
  EXPECT_TRUE(IsClosed(Connect(listener_->address())));
  const Descriptor other = Connect(listener_->address(), INADDR_LOOPBACK + 1);
  EXPECT_TRUE(Next().ok());
  EXPECT_EQ(listener_->figures().refused, 1u);
  taken = Descriptor();  // and now there is room for it again
  Descriptor again;
  ASSERT_TRUE(Await([&](const ListenerFigures& figures) {
    if (figures.accepted < 3) again = Connect(listener_->address());
    return figures.accepted == 3;
  }));
}

TEST(SocketName, IsCountedByItsAddressOrItsNetwork) {
  const auto v4 = [](const char* text) {
    SocketName name;
    auto& bytes = reinterpret_cast<sockaddr_in&>(name.bytes);
    bytes.sin_family = AF_INET;
    EXPECT_EQ(::inet_pton(AF_INET, text, &bytes.sin_addr), 1);
    return name.Host();
  };
  const auto v6 = [](const char* text) {
    SocketName name;
    auto& bytes = reinterpret_cast<sockaddr_in6&>(name.bytes);
    bytes.sin6_family = AF_INET6;
    EXPECT_EQ(::inet_pton(AF_INET6, text, &bytes.sin6_addr), 1);
    return name.Host();
  };
  EXPECT_NE(v4("192.0.2.1"), v4("192.0.2.2"));
  EXPECT_EQ(v4("192.0.2.1"), v6("::ffff:192.0.2.1"));
  EXPECT_EQ(v6("2001:db8:1:2::3"), v6("2001:db8:1:2:ffff::4"));
  EXPECT_NE(v6("2001:db8:1:2::3"), v6("2001:db8:1:3::3"));
  EXPECT_EQ(SocketName().Host(), "") << "a unix socket";
}

// The process itself runs out of descriptors, and gets them back.
TEST_F(ListenerTest, WaitsWhileThereIsNoFileDescriptor) {
  Open("127.0.0.1:0");
  const Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int next = ::dup(client.get());
  ASSERT_GE(next, 0);
  ::close(next);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  const std::string& address = listener_->address();
  to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address.substr(address.rfind(':') + 1).c_str())));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  EXPECT_TRUE(Await([](const ListenerFigures& figures) { return figures.starved >= 2; }));
  EXPECT_EQ(listener_->figures().accepted, 0u);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(Next().ok());
}

TEST_F(ListenerTest, HearsItselfAndDoesNotCountIt) {
  Open("127.0.0.1:0", 1, 20);
  const Descriptor client = Connect(listener_->address());
  const Descriptor taken = Next();
  const std::int64_t silent_ms = listener_->figures().silent_ms;
  EXPECT_TRUE(Await([&](const ListenerFigures& figures) { return figures.silent_ms < silent_ms || silent_ms == 0; }));
  EXPECT_EQ(listener_->figures().accepted, 1u);
  EXPECT_EQ(listener_->figures().refused, 0u);
  EXPECT_EQ(listener_->figures().reopened, 0u);
}

class UnixListenerTest : public ListenerTest {
 protected:
  UnixListenerTest() : path_(testing::TempDir() + "smsflow-listener-" + std::to_string(getpid())) {
    ::unlink(path_.c_str());
  }
  ~UnixListenerTest() override { ::unlink(path_.c_str()); }
  std::string path_;
};

TEST_F(UnixListenerTest, ASocketWhoseFileWasRemovedIsMadeAnew) {
  Open("unix:" + path_, 100, 20);
  EXPECT_EQ(listener_->address(), "unix:" + path_);
  struct stat file {};
  ASSERT_EQ(::stat(path_.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0660u);
  ASSERT_EQ(::unlink(path_.c_str()), 0);
  EXPECT_TRUE(Await([](const ListenerFigures& figures) { return figures.reopened != 0; }));
  const Descriptor client = Connect(listener_->address());
  EXPECT_TRUE(client.ok());
  EXPECT_TRUE(Next().ok());
  listener_->Stop();
  EXPECT_NE(::stat(path_.c_str(), &file), 0) << "its file stays";
}

TEST_F(UnixListenerTest, TakesThePlaceOfOneThatIsGoneAndOfNoOther) {
  Open("unix:" + path_);
  EXPECT_FALSE(Listener::Open({"unix:" + path_, 1}).ok());
  EXPECT_TRUE(Connect("unix:" + path_).ok()) << "the first was harmed";
  listener_.reset();
  // What a process that was killed leaves behind.
  Descriptor dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path_.copy(name.sun_path, sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  dead = Descriptor();
  Open("unix:" + path_);
  EXPECT_TRUE(Connect("unix:" + path_).ok());
}

TEST_F(UnixListenerTest, WhatIsNoSocketIsLeftAlone) {
  std::ofstream(path_) << "a letter";
  EXPECT_FALSE(Listener::Open({"unix:" + path_, 1}).ok());
  std::string text;
  std::getline(std::ifstream(path_), text);
  EXPECT_EQ(text, "a letter");
}

TEST(ListenerAddressTest, ATakenOrForeignAddressIsRefused) {
  const auto first = Listener::Open({"127.0.0.1:0", 1});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(absl::IsUnavailable(Listener::Open({(*first)->address(), 1}).status()));
  EXPECT_TRUE(absl::IsUnavailable(Listener::Open({"192.0.2.1:0", 1}).status()));
}

TEST(ShareConnectionsTest, LeavesDescriptorsForTheRest) {
  const auto grpc_alone = [](std::size_t wanted, std::uint64_t files) {
    return ShareConnections(wanted, 0, files).grpc;
  };
  EXPECT_EQ(grpc_alone(10'000, 65'536), 10'000u);
  EXPECT_EQ(grpc_alone(100'000, 65'536), 65'024u);
  EXPECT_EQ(grpc_alone(10'000, 1'024), 512u);
  EXPECT_EQ(grpc_alone(10'000, 500), 250u);
  EXPECT_EQ(grpc_alone(10'000, 100), 31u);
  EXPECT_EQ(ShareConnections(10'000, 0, 100).rest, 0u);
}

TEST(ShareConnectionsTest, BothFullLeaveThemToo) {
  const auto share = [](std::size_t grpc, std::size_t rest, std::uint64_t files) {
    const ConnectionsOfDoors doors = ShareConnections(grpc, rest, files);
    return std::pair(doors.grpc, doors.rest);
  };
  EXPECT_EQ(share(10'000, 1'000, 65'536), std::pair(std::size_t{10'000}, std::size_t{1'000}));
  EXPECT_EQ(share(100'000, 1'000, 65'536), std::pair(std::size_t{64'024}, std::size_t{1'000}));
  EXPECT_EQ(share(10'000, 1'000, 1'024), std::pair(std::size_t{256}, std::size_t{256}));
  EXPECT_EQ(share(10, 1'000, 1'024), std::pair(std::size_t{10}, std::size_t{502}));
  EXPECT_EQ(share(10'000, 10, 1'024), std::pair(std::size_t{502}, std::size_t{10}));
  EXPECT_EQ(share(10'000, 1'000, 64), std::pair(std::size_t{4}, std::size_t{3}));
  EXPECT_EQ(share(10'000, 1'000, 0), std::pair(std::size_t{1}, std::size_t{1}));
}

}  // namespace
}  // namespace smsflow::server
