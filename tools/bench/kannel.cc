#include "tools/bench/kannel.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tools/bench/child.h"

namespace smsflow::bench {
namespace {

constexpr char kSystemId[] = "kannel";
constexpr double kFirstGuess = 3'000;  // SMSes in a second, before any was counted
constexpr double kPatience_s = 20;     // without a receipt, before a slice is given up
constexpr std::uint64_t kFirstNumber = 255'700'000'000;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// One that is free now: bearerbox takes no 0.
std::uint16_t FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  const bool bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(socket);
  return bound ? ntohs(address.sin_port) : 0;
}

bool Listens(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const bool listens = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return listens;
}

class Kannel : public Part {
 public:
  Kannel(const std::string& folder, SmscProcess& smsc) : folder_(folder), smsc_(smsc) {}

  absl::Status Open() {
    const std::string bearerbox = FindProgram("bearerbox");
    mtbatch_ = FindProgram("mtbatch");
    if (bearerbox.empty() || mtbatch_.empty()) return absl::NotFoundError("Kannel is not installed");
    const std::uint16_t admin = FreePort();
    port_ = FreePort();
    const std::string config = folder_ + "/kannel.conf";
    std::ofstream(config) << "group = core\nadmin-port = " << admin
                          << "\nadmin-interface = \"127.0.0.1\"\nadmin-password = bench\nsmsbox-port = " << port_
                          << "\nbox-allow-ip = \"127.0.0.1\"\nbox-deny-ip = \"*.*.*.*\"\ndlr-storage = internal\n"
                          << "smsbox-interface = \"127.0.0.1\"\n"
                          << "log-level = 4\nlog-file = \"" << folder_
                          << "/kannel.log\"\n\ngroup = smsbox\nbearerbox-host = 127.0.0.1\n\n"
                          << "group = smsc\nsmsc = smpp\nsmsc-id = bench\nhost = 127.0.0.1\nport = " << smsc_.port()
                          << "\ntransceiver-mode = true\nsmsc-username = " << kSystemId
                          << "\nsmsc-password = bench\nsystem-type = \"\"\nmax-pending-submits = " << kSmppWindow
                          << "\n";
    std::ofstream(folder_ + "/content") << "Your visit is tomorrow at 9. Please bring your card.";
    auto child = Child::Start({bearerbox, "-v", "4", config});
    if (!child.ok()) return child.status();
    bearerbox_ = std::move(*child);
    for (const double end = Now() + 10; !Listens(port_);) {
      if (Now() > end) return absl::UnavailableError("Kannel's bearerbox did not start");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return absl::OkStatus();
  }

  Slice Run(double seconds) override {
    const auto wanted = static_cast<std::uint64_t>(std::max(1.0, rate_ * seconds));
    {
      std::ofstream receivers(folder_ + "/receivers");
      for (std::uint64_t i = 0; i < wanted; ++i) receivers << kFirstNumber + i << '\n';
    }
    smsc_.Read(kSystemId).Forget();
    const double cpu = bearerbox_->cpu_s();
    const auto batch =
        Child::Start({mtbatch_, "-v", "4", "-b", "127.0.0.1", "-p", std::to_string(port_), "-f", "CLINIC", "-D", "3",
                      "-u", "http://127.0.0.1:9/", folder_ + "/content", folder_ + "/receivers"});
    Slice slice;
    if (!batch.ok()) return slice;
    std::uint64_t receipts = 0;
    for (double end = Now() + kPatience_s; receipts < wanted && Now() < end;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      const std::uint64_t now = smsc_.Read(kSystemId).receipts;
      if (now != receipts) end = Now() + kPatience_s;
      receipts = now;
    }
    const SmscSaw& saw = smsc_.Read(kSystemId);
    slice.count = saw.receipts;
    slice.seconds = static_cast<double>(std::max<std::int64_t>(saw.last_receipt_ms - saw.first_submit_ms, 1)) / 1000;
    slice.cpu_s = bearerbox_->cpu_s() - cpu;
    if (slice.count > 0) rate_ = slice.rate();
    return slice;
  }

 private:
  const std::string folder_;
  SmscProcess& smsc_;
  std::string mtbatch_;
  std::uint16_t port_ = 0;
  double rate_ = kFirstGuess;
  std::unique_ptr<Child> bearerbox_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Part>> OpenKannel(const std::string& folder, SmscProcess& smsc) {
  auto kannel = std::make_unique<Kannel>(folder, smsc);
  if (const auto status = kannel->Open(); !status.ok()) return status;
  return kannel;
}

}  // namespace smsflow::bench
