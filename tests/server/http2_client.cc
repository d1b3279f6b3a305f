#include "tests/server/http2_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace smsflow::server {

namespace {

std::int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void AppendByte(std::size_t value, std::string& out) { out.push_back(static_cast<char>(value & 0xff)); }

// A text as HPACK has it, without its code of Huffman's.
void AppendText(std::string_view text, std::string& out) {
  constexpr std::size_t kMost = 127;  // that fits beside the bit
  if (text.size() < kMost) {
    AppendByte(text.size(), out);
  } else {
    AppendByte(kMost, out);
    std::size_t rest = text.size() - kMost;
    for (; rest >= 128; rest >>= 7) AppendByte(rest | 128, out);
    AppendByte(rest, out);
  }
  out += text;
}

}  // namespace

std::string Http2Frame::ToBytes() const {
  std::string out;
  for (const int shift : {16, 8, 0}) AppendByte(body.size() >> shift, out);
  AppendByte(type, out);
  AppendByte(flags, out);
  for (const int shift : {24, 16, 8, 0}) AppendByte(stream >> shift, out);
  return out + body;
}

std::string Http2Header(std::string_view name, std::string_view value) {
  std::string out(1, '\0');
  AppendText(name, out);
  AppendText(value, out);
  return out;
}

std::string Http2CallHead(const std::string& path, std::string_view scheme) {
  return Http2Header(":method", "POST") + Http2Header(":scheme", scheme) + Http2Header(":path", path) +
         Http2Header(":authority", "localhost") + Http2Header("te", "trailers") +
         Http2Header("content-type", "application/grpc");
}

Http2Client::Http2Client(const std::string& address, in_addr_t from)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(from);
  sockaddr_in to = own;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  ended_ = ::bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
           ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0;
}

Http2Client::~Http2Client() {
  if (socket_ >= 0) ::close(socket_);
}

Http2Client::Http2Client(Http2Client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), ended_(other.ended_) {}

bool Http2Client::Say(std::string_view bytes) {
  while (!bytes.empty() && !ended_) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return bytes.empty();
}

bool Http2Client::Greet(std::string_view more) {
  std::string all(kPreface);
  all += Http2Frame{Http2Frame::kSettings}.ToBytes();
  all += more;
  if (!Say(all)) return false;
  bool theirs = false;
  bool ours = false;
  while (!theirs || !ours) {
    const auto frame = Next();
    if (!frame) return false;
    if (frame->type != Http2Frame::kSettings) continue;
    if (frame->flags == Http2Frame::kAck) {
      ours = true;
    } else {
      // Behind a head that is not finished nothing else may be said.
      theirs = !more.empty() || Say(Http2Frame{Http2Frame::kSettings, Http2Frame::kAck});
    }
  }
  return true;
}

bool Http2Client::IsHeard() {
  if (!Say(Http2Frame{Http2Frame::kPing, 0, 0, std::string(8, 'p')})) return false;
  while (const auto frame = Next()) {
    if (frame->type == Http2Frame::kPing && frame->flags == Http2Frame::kAck) return true;
  }
  return false;
}

std::optional<Http2Frame> Http2Client::Next(int within_ms) {
  std::array<char, 9> head{};
  if (!Read(head.data(), head.size(), within_ms)) return std::nullopt;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(head[at])); };
  Http2Frame frame{static_cast<std::uint8_t>(byte(3)), static_cast<std::uint8_t>(byte(4)),
                   (byte(5) & 0x7f) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8),
                   std::string(byte(0) << 16 | byte(1) << 8 | byte(2), '\0')};
  if (!Read(frame.body.data(), frame.body.size(), within_ms)) return std::nullopt;
  return frame;
}

bool Http2Client::IsClosed(int within_ms) {
  const std::int64_t till_ms = NowMs() + within_ms;
  while (Next(static_cast<int>(std::max<std::int64_t>(till_ms - NowMs(), 0)))) continue;
  return ended_;
}

void Http2Client::Forget() {
  std::array<char, 4096> some{};
  ssize_t got = 0;
  do got = ::recv(socket_, some.data(), some.size(), MSG_DONTWAIT);
  while (got > 0);
  ended_ = ended_ || got == 0;
}

bool Http2Client::Read(char* into, std::size_t size, int within_ms) {
  const std::int64_t till_ms = NowMs() + within_ms;
  while (size > 0 && !ended_) {
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(till_ms - NowMs(), 0))) != 1) return false;
    const ssize_t got = ::recv(socket_, into, size, 0);
    ended_ = got <= 0;
    if (ended_) break;
    into += got;
    size -= static_cast<std::size_t>(got);
  }
  return size == 0;
}

}  // namespace smsflow::server
