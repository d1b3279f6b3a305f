// An HTTP/1.1 server that knows no SMS: connections, their limits and their ends. What a request means is the business
// of whoever serves it.
//
// Threads of its own, each with the connections that fell to it. A connection is served one request at a time: what a
// client sends ahead waits in the socket, so it cannot make the server hold more than one request and one buffer. A
// body that is streamed is made only as fast as its client reads.
//
// Each step has its time: the first byte of the next request (idle), the head, the body, each piece of an answer; who
// lets it pass is cut off. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "server/config.h"
#include "server/rest/http.h"
#include "server/rest/request_reader.h"

namespace smsflow::server::rest {

struct HttpOptions {
  std::string address;           // "host:port", port 0 for any, or "unix:/path"
  std::optional<TlsConfig> tls;  // none: plaintext
  std::uint32_t threads = 1;
  std::size_t connections_max = 1'000;
  std::size_t per_address_max = 0;  // of them, of one client address; 0: as many as there may be
  RequestLimits request;
  std::size_t bodies_bytes_max = 64 << 20;  // of all bodies that are on their way
  std::int64_t idle_ms = 60'000;
  std::int64_t head_ms = 10'000;  // from its first byte to its last; of the handshake too
  std::int64_t body_ms = 30'000;
  std::int64_t write_ms = 30'000;  // of one piece of an answer, at most 64 KB
};

struct HttpHooks {
  // A whole request, but for its principal. Must not block. On a thread that serves connections.
  std::function<void(Request request, std::string authorization, Reply reply)> serve;
  // Before a body is waited for: an answer here is given at once, and the connection closed.
  std::function<std::optional<Response>(const Request& head, const std::string& authorization)> admit;
  // Puts Response::error into the form in which `path` shows errors.
  std::function<void(std::string_view path, Response& response)> show_error;
  std::function<std::int64_t()> wall_ms;
  std::function<std::int64_t()> steady_ms;  // of a clock that only goes forward
};

struct HttpFigures {
  std::size_t connections = 0;  // open
  std::uint64_t connections_total = 0;
  std::uint64_t connections_refused = 0;
  std::uint64_t handshakes_failed = 0;
  std::uint64_t timeouts = 0;     // connections cut off for letting a time pass
  std::uint64_t malformed = 0;    // requests that were none
  std::uint64_t answers[6] = {};  // by the first digit of the status
  std::uint64_t streams_cut = 0;  // bodies that ended early
};

class HttpServer {
 public:
  // Listens and serves when it returns. INVALID_ARGUMENT: the certificate cannot be used; UNAVAILABLE: the address is
  // taken, or not of this machine.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(HttpOptions options, HttpHooks hooks);
  virtual ~HttpServer() = default;

  // As clients name it, with the port that was chosen.
  virtual const std::string& address() const = 0;
  // Nobody comes in any more, idle connections end, the others end with the answer that they wait for. Does not block.
  virtual void BeginStop() = 0;
  // BeginStop(); waits at most so long for connections to end, then cuts them off. Replies may still come afterwards,
  // and go nowhere.
  virtual void Stop(std::int64_t within_ms) = 0;
  virtual HttpFigures figures() const = 0;
};

}  // namespace smsflow::server::rest
