// HTTP/2 as a peer would write it who follows the rules as far as it suits him: frames by hand, over plain TCP.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace smsflow::server {

struct Http2Frame {
  enum Type : std::uint8_t { kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6, kGoAway = 7 };
  static constexpr std::uint8_t kAck = 1;         // of settings and pings
  static constexpr std::uint8_t kEndStream = 1;   // of data and headers
  static constexpr std::uint8_t kEndHeaders = 4;  // of headers

  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string body = {};

  std::string ToBytes() const;
};

// A header as HPACK has it that is in no table, with names and values of any length.
std::string Http2Header(std::string_view name, std::string_view value);
// The head of a call of gRPC: all that there must be.
std::string Http2CallHead(const std::string& path, std::string_view scheme = "http");

class Http2Client {
 public:
  // `from`: all of 127.0.0.0/8 is this machine, so a client may be at any of it.
  explicit Http2Client(const std::string& address, in_addr_t from = INADDR_LOOPBACK);
  ~Http2Client();
  Http2Client(Http2Client&& other) noexcept;
  Http2Client& operator=(Http2Client&&) = delete;
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  static constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

  // False once the other side is gone.
  bool Say(std::string_view bytes);
  bool Say(const Http2Frame& frame) { return Say(frame.ToBytes()); }
  // The connection is complete: both sides have said and acknowledged their settings. `more` is said in one breath with
  // them, and was read by then.
  bool Greet(std::string_view more = {});
  // A ping came back: all that was said before it was read.
  bool IsHeard();
  // The next frame; nullopt: the connection ended, or this time did.
  std::optional<Http2Frame> Next(int within_ms = 20'000);
  // What has come by now is read and forgotten: who speaks on and on must listen, too.
  void Forget();
  // Whether the other side ends the connection in this time; what it says until then is read.
  bool IsClosed(int within_ms = 20'000);

 private:
  bool Read(char* into, std::size_t size, int within_ms);

  int socket_;
  bool ended_ = false;  // by the other side
};

}  // namespace smsflow::server
