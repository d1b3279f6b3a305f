#include "tools/bench/smpp_exchange.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "smpp/codec.h"
#include "smpp/framer.h"
#include "tools/bench/smsc_process.h"

namespace smsflow::bench {
namespace {

using smpp::CommandId;

constexpr int kPatience_ms = 5'000;
constexpr char kText[] = "Your visit is tomorrow at 9. Please bring your card.";

std::string FrameOf(const smpp::Pdu& pdu) {
  std::string frame;
  return smpp::Encode(pdu, frame).ok() ? frame : std::string();
}

class BareExchange : public Part {
 public:
  ~BareExchange() override {
    if (socket_ >= 0) ::close(socket_);
  }

  absl::Status Open(std::uint16_t port) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return absl::UnavailableError("cannot connect to the SMSC");
    out_ = FrameOf({.header = {.id = CommandId::kBindTransceiver, .sequence = 1},
                    .body = smpp::Bind{.system_id = "bare"},
                    .tlvs = {}});
    while (!bound_) {
      if (!Turn()) return absl::UnavailableError("the SMSC does not answer a bind");
    }
    submit_ = FrameOf({.header = {.id = CommandId::kSubmitSm, .sequence = 1},
                       .body = smpp::Sm{.source = {5, 0, "CLINIC"},
                                        .destination = {1, 1, "255123456789"},
                                        .registered_delivery = smpp::kReceiptAlways,
                                        .short_message = kText},
                       .tlvs = {}});
    return absl::OkStatus();
  }

  Slice Run(double seconds) override {
    const double begun = Now(), cpu = ThreadCpu();
    const std::uint64_t before = over_;
    Slice slice;
    bool good = true;
    while (good && Now() - begun < seconds) {
      while (unanswered_ < kSmppWindow) Submit();
      good = Turn();
    }
    while (good && over_ < submitted_) good = Turn();
    slice.count = over_ - before;
    slice.seconds = Now() - begun;
    slice.cpu_s = ThreadCpu() - cpu;
    return slice;
  }

 private:
  void Submit() {
    out_ += submit_;
    SetSequence(out_.size() - submit_.size(), sequence_ = sequence_ % smpp::kSequenceMax + 1);
    ++unanswered_;
    ++submitted_;
  }
  void SetSequence(std::size_t frame, std::uint32_t sequence) {
    for (std::size_t i = 0; i < 4; ++i) out_[frame + 12 + i] = static_cast<char>(sequence >> (24 - 8 * i) & 0xff);
  }

  // Sends what there is, waits for something, takes it. False: the connection is gone, or silent.
  bool Turn() {
    while (!out_.empty()) {
      const ssize_t sent = ::send(socket_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      out_.erase(0, static_cast<std::size_t>(sent));
    }
    pollfd readable{socket_, POLLIN, 0};
    if (::poll(&readable, 1, kPatience_ms) <= 0) return false;
    std::array<char, 1 << 16> bytes{};
    const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (count <= 0) return false;
    framer_.Append({bytes.data(), static_cast<std::size_t>(count)});
    while (const auto frame = framer_.Next()) Take(*frame);
    return !framer_.broken();
  }

  void Take(std::string_view frame) {
    std::uint32_t ignored = 0;
    const auto header = smpp::ReadHeader(frame, ignored);
    if (!header) return;
    if (header->id == CommandId::kBindTransceiverResp) bound_ = true;
    if (header->id == CommandId::kSubmitSmResp) --unanswered_;
    if (header->id != CommandId::kDeliverSm) return;
    ++over_;
    out_ += FrameOf({.header = {.id = CommandId::kDeliverSmResp, .sequence = header->sequence},
                     .body = smpp::MessageResp{},
                     .tlvs = {}});
  }

  int socket_ = -1;
  bool bound_ = false;
  smpp::Framer framer_;
  std::string submit_, out_;
  std::uint32_t sequence_ = 1;
  int unanswered_ = 0;
  std::uint64_t submitted_ = 0, over_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Part>> OpenBareExchange(std::uint16_t port) {
  auto exchange = std::make_unique<BareExchange>();
  if (const auto status = exchange->Open(port); !status.ok()) return status;
  return exchange;
}

}  // namespace smsflow::bench
