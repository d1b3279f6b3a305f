#include "tools/cli/connection.h"

#include <grpcpp/channel.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>

namespace smsflow::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Takes connections and drops them at once, as what stands before a server that is down may do.
class Dropper {
 public:
  Dropper() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, any, size) == 0 && listen(socket_, 16) == 0 && getsockname(socket_, any, &size) == 0)
      address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~Dropper() { close(socket_); }
  Dropper(const Dropper&) = delete;
  Dropper& operator=(const Dropper&) = delete;

  const std::string& address() const { return address_; }
  // How many came since.
  int Drop() {
    int dropped = 0;
    for (int one = 0; (one = accept(socket_, nullptr, nullptr)) >= 0; ++dropped) close(one);
    return dropped;
  }

 private:
  int socket_;
  std::string address_;
};

// gRPC's own pauses grow to two minutes: a watch would be silent for so long after its server is back.
TEST(Connection, IsTriedEverySecondHoweverLongTheServerIsAway) {
  Dropper dropper;
  ASSERT_FALSE(dropper.address().empty());
  ConnectionArguments arguments;
  arguments.address = dropper.address();
  const auto connection = Connection::Open(arguments, "");
  ASSERT_TRUE(connection.ok());
  constexpr int kTries = 9;  // eight pauses
  const auto begin = Clock::now();
  int tries = 0;
  for (; tries < kTries && Clock::now() - begin < std::chrono::seconds(60); tries += dropper.Drop()) {
    const auto state = (*connection)->channel()->GetState(/*try_to_connect=*/true);
    (*connection)
        ->channel()
        ->WaitForStateChange(state, std::chrono::system_clock::now() + std::chrono::milliseconds(20));
  }
  EXPECT_EQ(tries, kTries);
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(45)) << "gRPC by itself takes 55 s at least";
}

}  // namespace
}  // namespace smsflow::cli
