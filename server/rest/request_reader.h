// One request after the other out of the bytes of a connection, without a socket: bytes go in, a request or a refusal
// comes out.
//
// What two readers could take in two ways is refused, and the connection with it, for then nobody knows where the next
// request begins: a length said twice or beside a transfer coding, folded lines, bare line feeds, a NUL, white space
// before a colon, codings that are not ours. RFC 9112 is the rule. So are two values of a header that has one.
//
// One thread. Holds at most the limits; nothing blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "server/rest/http.h"

namespace smsflow::server::rest {

struct RequestLimits {
  std::size_t head_bytes = 16 << 10;  // of the request line and all headers
  std::size_t headers = 64;
  std::size_t body_bytes = 1 << 20;
};

class RequestReader {
 public:
  explicit RequestReader(RequestLimits limits);

  // What became of the bytes that were given.
  enum class State : std::uint8_t {
    kNothing,  // nothing of a request has come
    kHead,     // its head is on its way
    kBody,     // the head is whole, the body is on its way
    kWhole,    // Take() has it
    kRefused,  // refusal() has the answer; nothing more is read
  };
  State state() const { return state_; }

  // Reads on and tells how many bytes at the front it is done with; those that it is not must be given again, with more
  // behind them. Beyond most() of them it gives up. Stops behind the head once, so that whoever serves it can look at
  // it, and behind the request.
  std::size_t Read(std::string_view bytes);
  std::size_t most() const { return limits_.head_bytes; }

  // From kBody on, and until Take().
  const Request& head() const { return request_; }
  const std::string& authorization() const { return authorization_; }
  std::string TakeAuthorization() { return std::exchange(authorization_, {}); }
  bool keep_alive() const { return keep_alive_; }           // the client asks for it
  bool is_http_1_0() const { return http_1_0_; }            // it knows no chunks
  bool awaits_continue() const { return expects_; }         // it sends no body before it is told to
  std::uint64_t length() const { return content_length_; }  // that the body is said to have; 0: none, or not said

  // REQUIRES kWhole. The next Read() begins the next request.
  Request Take();

  struct Refusal {
    int status = 400;
    const char* error = "";
  };
  const Refusal& refusal() const { return refusal_; }
  // Of a head that was never whole: empty.
  std::string_view path() const { return request_.path; }

 private:
  enum class Part : std::uint8_t { kSize, kData, kDataEnd, kTrailer };  // of a body in chunks

  std::size_t ReadHead(std::string_view bytes);
  std::size_t ReadBody(std::string_view bytes);
  std::size_t ReadChunks(std::string_view bytes);
  bool TakeSize(std::string_view line);
  bool TakeTrailer(std::string_view line);
  bool TakeTarget(std::string_view target);
  bool TakeFraming();
  bool TakeOnce();
  bool Refuse(int status, const char* error);

  const RequestLimits limits_;
  State state_ = State::kNothing;
  bool forgiven_ = false;    // the empty line before this request
  std::size_t scanned_ = 0;  // of a head: no end is before
  Request request_;
  std::string authorization_;
  bool keep_alive_ = false;
  bool http_1_0_ = false;
  bool expects_ = false;
  std::uint64_t content_length_ = 0;
  bool chunked_ = false;
  Part part_ = Part::kSize;
  std::uint64_t left_ = 0;         // of the body, or of the chunk
  std::size_t trailer_bytes_ = 0;  // so far
  Refusal refusal_;
};

}  // namespace smsflow::server::rest
